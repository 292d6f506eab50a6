-- Lends parts of limits that several nodes share; all of one question at once, so no two nodes are lent the same part.
-- KEYS[1]: since when this server remembers. KEYS[2...]: a pace or a quota each, for which ARGV says in fives:
-- "pace" or "quota", the limit, how many parts are wished (negative: given back), how many are surely used, and for how
-- many seconds the key is kept. A pace's first number of tokens is what was earned since this server was born, so a server
-- that lost everything gives nothing away. Answers for each: parts lent, and parts lent of a quota so far.
local HELD_S = 0.5 -- as limit_shares.HELD_S: what waits here to be lent; the other half of a second's burst is in the nodes
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local born = redis.call('GET', KEYS[1])
if not born then
    born = string.format('%.6f', now)
    redis.call('SET', KEYS[1], born)
end
local told = {}
for i = 2, #KEYS do
    local at = (i - 2) * 5
    local kind, limit, wish = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local found = redis.call('GET', KEYS[i])
    local lent, kept, total = 0, '', 0
    if kind == 'pace' then
        local tokens, since = 0, born
        if found then
            tokens, since = string.match(found, '^(%S+) (%S+)$')
        end
        local most = math.max(limit * HELD_S, 1)
        tokens = math.min(most, tonumber(tokens) + math.max(0, now - tonumber(since)) * limit)
        lent = math.min(wish, math.max(tokens, 0))
        kept = string.format('%.6f %.6f', math.min(most, tokens - lent), now)
    else
        total = math.max(tonumber(found or '0'), tonumber(ARGV[at + 4]))
        lent = math.max(math.min(wish, math.max(limit - total, 0)), -total)
        total = total + lent
        kept = string.format('%.6f', total)
    end
    redis.call('SET', KEYS[i], kept, 'EX', ARGV[at + 5])
    told[#told + 1] = string.format('%.6f', lent)
    told[#told + 1] = string.format('%.6f', total)
end
return told
