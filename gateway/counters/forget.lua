-- Forgets what was counted under KEYS.
return redis.call('DEL', unpack(KEYS))
