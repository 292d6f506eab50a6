-- Who at the house is told of what: operators with addresses of their own, of their role's matters; and what they may change.

-- Nothing else of a user is known to the role that sends.
CREATE VIEW notice_administrators AS
SELECT user_id, role, language, email, phone FROM users WHERE state = 'active' AND role <> 'reseller';

GRANT SELECT ON notice_administrators TO passerelle_api, passerelle_operators;
GRANT UPDATE ON notice_sendings TO passerelle_operators; -- to send again
GRANT DELETE ON notice_watches TO passerelle_operators;  -- another threshold is watched from its beginning
