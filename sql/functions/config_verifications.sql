create or replace function leadq._import_gateways(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
    v_before text;
begin
    for v_row in
        select g.value as item, g.value ->> 'name' as name
          from jsonb_array_elements(p_document -> 'gateways') g
    loop
        v_before := leadq._gateway_document(v_row.name)::text;

        insert into leadq.gateway (name, channel, method, url, content_type,
               body, headers, secret, match, permanent, sign, concurrency,
               rate, ports, sender, chooses_code, price, answer, receipts,
               poll)
        values (v_row.name, v_row.item ->> 'channel',
                coalesce(v_row.item ->> 'method', 'GET'),
                v_row.item ->> 'url', v_row.item ->> 'content_type',
                v_row.item ->> 'body', v_row.item -> 'headers',
                v_row.item ->> 'secret',
                coalesce(v_row.item -> 'match', '{"type": "any"}'),
                v_row.item -> 'permanent', v_row.item ->> 'sign',
                (v_row.item ->> 'concurrency')::integer,
                (v_row.item ->> 'rate')::numeric,
                array(select p::integer from jsonb_array_elements_text(
                          v_row.item -> 'ports') p),
                v_row.item ->> 'sender',
                coalesce((v_row.item ->> 'chooses_code')::boolean, false),
                coalesce((v_row.item ->> 'price')::numeric, 0),
                v_row.item -> 'answer', v_row.item -> 'receipts',
                v_row.item -> 'poll')
        on conflict (name) do update
           set channel = excluded.channel,
               method = excluded.method,
               url = excluded.url,
               content_type = excluded.content_type,
               body = excluded.body,
               headers = excluded.headers,
               secret = excluded.secret,
               match = excluded.match,
               permanent = excluded.permanent,
               sign = excluded.sign,
               concurrency = excluded.concurrency,
               rate = excluded.rate,
               ports = excluded.ports,
               sender = excluded.sender,
               chooses_code = excluded.chooses_code,
               price = excluded.price,
               answer = excluded.answer,
               receipts = excluded.receipts,
               poll = excluded.poll;

        if v_before is distinct from
           leadq._gateway_document(v_row.name)::text then
            return next 'gateway ' || v_row.name;
        end if;
    end loop;
end
$$;


create or replace function leadq._gateway_document(p_name text)
returns jsonb
language sql stable
as $$
    select jsonb_build_object('name', g.name, 'channel', g.channel,
        'method', g.method, 'url', g.url, 'content_type', g.content_type,
        'body', g.body, 'headers', g.headers, 'secret', g.secret,
        'match', g.match, 'permanent', g.permanent, 'sign', g.sign,
        'concurrency', g.concurrency, 'rate', trim_scale(g.rate),
        'ports', g.ports, 'sender', g.sender,
        'chooses_code', g.chooses_code, 'price', trim_scale(g.price),
        'answer', g.answer, 'receipts', g.receipts, 'poll', g.poll)
      from leadq.gateway g
     where g.name = p_name
$$;


create or replace function leadq._import_profiles(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
    v_profile integer;
    v_captcha integer;
    v_public boolean;
    v_before text;
begin
    -- Profiles of verifications with their steps and limits.  What is not
    -- said is what the kind brings along.  Limits keep their cells as long
    -- as they keep their names.
    for v_row in
        select p.value as item, (p.n - 1)::text as i,
               p.value ->> 'name' as name,
               coalesce(p.value ->> 'kind', 'public') as kind,
               p.value ->> 'time_zone' as zone,
               p.value ->> 'captcha' as captcha
          from jsonb_array_elements(p_document -> 'verifications')
               with ordinality p (value, n)
    loop
        v_before := leadq._profile_document(v_row.name)::text;
        v_public := v_row.kind = 'public';

        select g.gateway_id into v_captcha
          from leadq.gateway g
         where g.name = v_row.captcha
           and g.channel = 'captcha';

        if v_row.zone is not null and not leadq._is_zone(v_row.zone) then
            perform leadq._refuse(format('verifications[%s].time_zone',
                        v_row.i),
                format('there is no time zone "%s"', v_row.zone));
        elsif v_row.captcha is not null and v_captcha is null then
            perform leadq._refuse(format('verifications[%s].captcha',
                        v_row.i),
                format('there is no gateway "%s" of channel captcha',
                       v_row.captcha));
        end if;

        insert into leadq.profile (name, kind, digits, life, checks, sends,
               resend_after, fallbacks, result_life, lang, time_zone, host,
               deny, consent, captcha_id, limits)
        values (v_row.name, v_row.kind,
                coalesce((v_row.item ->> 'digits')::smallint,
                         case when v_public then 6 else 4 end),
                coalesce(v_row.item ->> 'life', '5 min')::interval,
                coalesce((v_row.item ->> 'checks')::smallint,
                         case when v_public then 5 else 3 end),
                coalesce((v_row.item ->> 'sends')::smallint, 3),
                coalesce((select array_agg(r.value::interval order by r.n)
                            from jsonb_array_elements_text(
                                     v_row.item -> 'resend_after')
                                 with ordinality r (value, n)),
                         array[interval '30 s', '60 s', '120 s']),
                coalesce((v_row.item ->> 'fallbacks')::smallint, 2),
                coalesce(v_row.item ->> 'result_life', '30 min')::interval,
                coalesce(v_row.item ->> 'lang', 'ru'),
                coalesce(v_row.zone, 'Europe/Moscow'), v_row.item ->> 'host',
                coalesce((select array_agg(d) from jsonb_array_elements_text(
                              v_row.item -> 'deny') d), array['+7940']),
                coalesce(v_row.item ->> 'consent', 'required'), v_captcha,
                v_row.item ? 'limits')
        on conflict (name) do update
           set kind = excluded.kind,
               digits = excluded.digits,
               life = excluded.life,
               checks = excluded.checks,
               sends = excluded.sends,
               resend_after = excluded.resend_after,
               fallbacks = excluded.fallbacks,
               result_life = excluded.result_life,
               lang = excluded.lang,
               time_zone = excluded.time_zone,
               host = excluded.host,
               deny = excluded.deny,
               consent = excluded.consent,
               captcha_id = excluded.captcha_id,
               limits = excluded.limits
        returning profile_id into v_profile;

        perform leadq._import_steps(v_profile, v_row.item -> 'steps',
                                    v_row.i);
        perform leadq._import_profile_limits(v_profile,
                                             v_row.item -> 'limits');

        if v_before is distinct from
           leadq._profile_document(v_row.name)::text then
            return next 'verification ' || v_row.name;
        end if;
    end loop;
end
$$;


create or replace function leadq._import_steps(p_profile integer,
    p_steps jsonb, p_i text)
returns void
language plpgsql
as $$
begin
    perform leadq._refuse(format('verifications[%s].steps[%s].gateway', p_i,
                s.n - 1),
            format('there is no gateway "%s" that sends codes',
                   s.value ->> 'gateway'))
       from jsonb_array_elements(p_steps) with ordinality s (value, n)
      where not exists (select from leadq.gateway g
                         where g.name = s.value ->> 'gateway'
                           and g.channel not in ('captcha', 'identity'));

    perform leadq._refuse(format('verifications[%s].steps[%s].text', p_i,
                s.n - 1),
            format('gateway "%s" sends a text: it needs one', g.name))
       from jsonb_array_elements(p_steps) with ordinality s (value, n)
       join leadq.gateway g on g.name = s.value ->> 'gateway'
      where (s.value ? 'text' or concat(g.url, g.body) ~ '\{_?text[:}]')
        and not coalesce(s.value -> 'text', '{}') ? (
                select p.lang from leadq.profile p
                 where p.profile_id = p_profile);

    delete from leadq.profile_step s where s.profile_id = p_profile;

    insert into leadq.profile_step (profile_id, step, gateway_id, timeout,
           text, unless_operator, window_from, window_to)
    select p_profile, s.n, g.gateway_id,
           coalesce(s.value ->> 'timeout', case g.channel
               when 'push' then '15 s' when 'messenger' then '25 s'
               when 'call' then '20 s' else '60 s' end)::interval,
           s.value -> 'text',
           array(select lower(o) from jsonb_array_elements_text(
                     s.value -> 'unless_operator') o),
           (s.value #>> '{window,from}')::time,
           (s.value #>> '{window,to}')::time
      from jsonb_array_elements(p_steps) with ordinality s (value, n)
      join leadq.gateway g on g.name = s.value ->> 'gateway';
end
$$;


create or replace function leadq._import_profile_limits(p_profile integer,
    p_limits jsonb)
returns void
language plpgsql
as $$
begin
    with wanted as (
        select l ->> 'name' as name, l ->> 'by' as subject,
               (l ->> 'max')::integer as max, (l ->> 'per')::interval as per,
               coalesce(l ->> 'mode', 'enforce') as mode,
               coalesce((l ->> 'hide')::boolean, false) as hide,
               coalesce((l ->> 'adapt')::numeric, 0) as adapt
          from jsonb_array_elements(p_limits) l
         union all
        select d.* from leadq.profile p
         cross join lateral leadq._default_limits(p.kind, p.digits) d
         where p.profile_id = p_profile
           and not p.limits
    ), gone as (
        delete from leadq.profile_limit o
         where o.profile_id = p_profile
           and o.name not in (select w.name from wanted w)
    )
    insert into leadq.profile_limit as old (profile_id, name, subject, max,
           per, mode, hide, adapt)
    select p_profile, w.name, w.subject, w.max, w.per, w.mode, w.hide,
           w.adapt
      from wanted w
    on conflict (profile_id, name) do update
       set subject = excluded.subject,
           max = excluded.max,
           per = excluded.per,
           mode = excluded.mode,
           hide = excluded.hide,
           adapt = excluded.adapt;
end
$$;


create or replace function leadq._profile_document(p_name text)
returns jsonb
language sql stable
as $$
    select jsonb_build_object('name', p.name, 'kind', p.kind,
        'digits', p.digits, 'life', p.life::text, 'checks', p.checks,
        'sends', p.sends, 'resend_after', p.resend_after::text[],
        'fallbacks', p.fallbacks, 'result_life', p.result_life::text,
        'lang', p.lang, 'time_zone', p.time_zone, 'host', p.host,
        'deny', p.deny, 'consent', p.consent,
        'captcha', (select g.name from leadq.gateway g
                     where g.gateway_id = p.captcha_id),
        'steps', (select jsonb_agg(jsonb_build_object('gateway', g.name,
                             'timeout', s.timeout::text, 'text', s.text,
                             'unless_operator', s.unless_operator,
                             'window', leadq._window_document(s.window_from,
                                 s.window_to, 0)) order by s.step)
                    from leadq.profile_step s
                    join leadq.gateway g using (gateway_id)
                   where s.profile_id = p.profile_id),
        'limits', case when p.limits then coalesce((
            select jsonb_agg(jsonb_build_object('name', l.name,
                       'by', l.subject, 'max', l.max, 'per', l.per::text,
                       'mode', l.mode, 'hide', l.hide,
                       'adapt', trim_scale(l.adapt)) order by l.limit_id)
              from leadq.profile_limit l
             where l.profile_id = p.profile_id), '[]') end)
      from leadq.profile p
     where p.name = p_name
$$;
