-- wrk: checks of codes, or sales by them, one after another from a file of
-- verifications and codes.  At the end it says how many were answered as they
-- should be.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    what = args[1]
    sales = {}
    for line in io.lines(args[2]) do
        sales[#sales + 1] = line
    end
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.headers["Accept"] = "application/json"
    wrk.headers["Sec-Fetch-Site"] = "same-origin"
    wrk.headers["Leadq-Session"] = args[3]
    wrk.headers["Authorization"] = "Basic " .. args[4]
    at = 0
    good = 0
    others = 0
end

function request()
    at = at + 1
    if at > #sales and what == "sales" then
        error("there are not enough customers for so many sales")
    end
    local sale = sales[(at - 1) % #sales + 1]
    local verification, code = sale:match("(%S+) (%S+)")
    if what == "checks" then
        return wrk.format(nil, "/v1/promo/checks", nil,
            '{"code":"' .. code .. '"}')
    end
    wrk.headers["Idempotency-Key"] = verification
    return wrk.format(nil, "/v1/promo/redemptions", nil, '{"code":"' .. code
        .. '","verification":"' .. verification .. '","receipt":"17"}')
end

function response(status)
    if status == (what == "checks" and 200 or 201) then
        good = good + 1
    else
        others = others + 1
    end
end

function done()
    local good, others = 0, 0
    for _, thread in ipairs(threads) do
        good = good + thread:get("good")
        others = others + thread:get("others")
    end
    print("good " .. good .. " others " .. others)
end
