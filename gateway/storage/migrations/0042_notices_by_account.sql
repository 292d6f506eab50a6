-- An account's notices are listed, and its SMS of a day counted, however many others there are.
CREATE INDEX notice_sendings_by_account ON notice_sendings (account_id, sending_id);
