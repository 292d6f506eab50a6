-- Which TLVs of its own a connector's TOML declares: known to every node, also to those that do not configure it.
ALTER TABLE connectors ADD COLUMN tlvs jsonb NOT NULL DEFAULT '{}'; -- tag (0x1400) to form (octets 1-8)
