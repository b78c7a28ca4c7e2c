-- wrk: leads as a landing posts them, each with an address of its own.

local thread = 0

function setup(t)
    thread = thread + 1
    t:set("number", thread)
end

function init(args)
    count = 0
    wrk.method = "POST"
    wrk.path = args[1]
    wrk.headers["Content-Type"] = "application/json"
    wrk.headers["Accept"] = "application/json"
    run = args[2]
    more = args[3] or ""
end

function request()
    count = count + 1
    local id = run .. "-" .. number .. "-" .. count
    return wrk.format(nil, nil, nil, '{"email":"person-' .. id
        .. '@example.ru","phone":"+7916' .. string.format("%07d", count % 10000000)
        .. '","name":"Анна Петрова","click_id":"click-' .. id
        .. '","consent_pd":true,"consent_ads":false,"text_version":"2026-11"' .. more .. '}')
end
