-- What operators look at and ask for when they search: what messages wait for, and telling again.

GRANT SELECT ON open_attempts, waiting_notifications TO passerelle_operators;
GRANT SELECT, INSERT (node_id, command, arguments, asked_by) ON node_commands TO passerelle_operators;
GRANT UPDATE (state, tries, due_at_ms, give_up_at_ms, ended_at_ms) ON webhook_deliveries TO passerelle_operators;
GRANT SELECT ON webhook_secrets TO passerelle_operators; -- as the statement reads endpoints; nothing of them is shown
