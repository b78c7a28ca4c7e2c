-- wrk: wrong codes for verifications at random, all of one session.  At the
-- end it says how many were answered 422, the checks that left some.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    ids = {}
    for id in io.lines(args[1]) do
        ids[#ids + 1] = id
    end
    math.randomseed(#ids)
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.headers["Accept"] = "application/json"
    wrk.headers["Leadq-Session"] = args[2]
    mismatches = 0
    others = 0
end

function request()
    return wrk.format(nil, "/v1/verifications/" .. ids[math.random(#ids)]
        .. "/check", nil, '{"code":"' .. string.format("%06d",
        math.random(0, 999999)) .. '"}')
end

function response(status)
    if status == 422 then
        mismatches = mismatches + 1
    elseif status ~= 410 then
        others = others + 1
    end
end

function done()
    local mismatches, others = 0, 0
    for _, thread in ipairs(threads) do
        mismatches = mismatches + thread:get("mismatches")
        others = others + thread:get("others")
    end
    print("mismatches " .. mismatches .. " others " .. others)
end
