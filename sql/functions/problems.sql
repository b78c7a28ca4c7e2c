create or replace function leadq._problem(p_type text, p_title text,
    p_status integer, p_more jsonb)
returns text
language plpgsql immutable
as $$
begin
    -- A problem (RFC 9457) as web functions answer it.
    return jsonb_build_object('type', 'urn:leadq:problem:' || p_type,
               'title', p_title, 'status', p_status)
           || coalesce(p_more, '{}');
end
$$;


create or replace function leadq._reused_problem()
returns text
language sql immutable
as $$
    select '{"type":"urn:leadq:problem:idempotency-key-reused"'
           || ',"title":"This idempotency key was used with '
           || 'another request","status":422}'
$$;


create or replace function leadq._forbidden_problem()
returns text
language sql immutable
as $$
    select leadq._problem('not-allowed', 'You are not allowed to do this',
                          403, null)
$$;
