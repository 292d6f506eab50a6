-- Counts a wrong password under each of KEYS (a pair of address and login, an address); ARGV[1]: seconds until an address
-- without a further one starts anew. Answers with the counts over all nodes.
local told = {}
for i = 1, #KEYS do
    told[i] = redis.call('INCR', KEYS[i])
    redis.call('EXPIRE', KEYS[i], ARGV[1])
end
return told
