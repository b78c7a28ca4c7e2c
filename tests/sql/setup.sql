-- Shared by the pgTAP scripts: a transaction, a business document with one
-- network and three sources, and short names for what web tier and worker do.

begin;
set client_min_messages = warning;
select no_plan();

do $$
begin
    perform leadq.config_import(jsonb_build_object(
        'networks', '[{"name": "net", "url": "http://net/?c={click_id}"},
                      {"name": "quiet", "url": "http://quiet/",
                       "statuses": ["approved"]}]'::jsonb,
        'templates', (select jsonb_agg(jsonb_build_object('name', n,
            'lang', l, 'subject', n || l, 'text', 't', 'html', 'h'))
            from unnest(array['doi-1', 'doi-2', 'doi-3']) n,
                 unnest(array['ru', 'en']) l),
        'series', '[{"name": "three", "steps": [{"template": "doi-1"},
                {"template": "doi-2", "delay": "2 days"},
                {"template": "doi-3", "delay": "5 days"}]}]'::jsonb,
        'sources', (select jsonb_agg(jsonb_build_object('series', 'three',
                'network', 'net', 'from_email', 'a@brand.ru',
                'base_url', 'https://brand.ru', 'payout', '150') || s)
            from unnest(array['{"name": "cpa"}',
                '{"name": "other", "on_duplicate": "share"}',
                '{"name": "reach", "approve_on": "deliverable"}',
                '{"name": "lenient", "expired_as": "none"}',
                '{"name": "generous", "expired_as": "approved"}',
                '{"name": "quiet", "network": "quiet"}',
                '{"name": "bare", "series": null, "network": null}']::jsonb[]) s)));
end
$$;

-- The domains of the tests take mail; nobody has to look.
insert into leadq.mail_domain (domain, state, asked_at, fresh_until)
select d, 'good', leadq.now(), 'infinity'
  from unnest(array['x.ru', 'b.ru', 'c.ru', 'cpa.ru', 'lenient.ru']) d;

-- Sends a lead as the web tier does and runs the rules; the lead's id.
create function pg_temp.lead(p_request jsonb)
returns uuid language plpgsql as $$
declare
    v_id uuid := gen_random_uuid();
begin
    perform leadq.web_lead(array[v_id], array[(jsonb_build_object('source',
        'cpa') || p_request)::text]);
    perform leadq.run_rules(100);
    return v_id;
end
$$;

-- What has become of a lead: "state", or "state reason".
create function pg_temp.state(p_lead uuid)
returns text language sql as $$
    select concat_ws(' ', state, reason) from leadq.lead
     where lead_id = p_lead
$$;

-- The statuses of a lead with where they stand, in the order told.
create function pg_temp.told(p_lead uuid)
returns text language sql as $$
    select string_agg(status || ' ' || state, ', ' order by
                      status <> 'processed')
      from leadq.postback where lead_id = p_lead
$$;

-- The letters of an address: "step state" in order.
create function pg_temp.letters(p_email text)
returns text language sql as $$
    select string_agg(m.step || ' ' || m.state, ', ' order by m.step)
      from leadq.message m join leadq.enrolment e using (enrolment_id)
     where e.email = p_email
$$;

-- The worker's round: promotes, runs rules, claims all and settles postbacks
-- as done and letters by p_letter (outcome) and p_detail.
create function pg_temp.work(p_letter text default 'done',
    p_detail text default '{}')
returns integer language plpgsql as $$
declare
    v_count integer := 0;
    v_some integer;
begin
    loop
        perform leadq.promote_jobs(1000);
        perform leadq.run_rules(1000);
        with c as materialized (
            select * from leadq.claim_jobs('w', array['realtime', 'service',
                'bulk'], array[1000, 1000, 1000], array[0, 0, 0], 60)
        ), a as (
            select array_agg(job_id) as jobs, array_agg(token) as tokens,
                   array_agg(case kind when 'letter' then p_letter
                             else 'done' end) as outcomes,
                   array_agg(case kind when 'letter' then p_detail
                             else '{"http": 200}' end) as details
              from c
        )
        select count(s.*) into v_some
          from a, leadq.settle_jobs(a.jobs, a.tokens, a.outcomes,
                                    a.details) s
         where a.jobs is not null;
        exit when v_some = 0;
        v_count := v_count + v_some;
    end loop;
    return v_count;
end
$$;

-- Follows the confirmation link of a letter; the answer's status.
create function pg_temp.confirm(p_email text, p_step integer default 1)
returns integer language sql as $$
    select c.status
      from leadq.message m
      join leadq.enrolment e using (enrolment_id)
     cross join lateral leadq.web_confirm(array[gen_random_uuid()],
           array[jsonb_build_object('message', m.message_id, 'ip',
                 '192.0.2.1', 'ua', 'test')::text]) c
     where e.email = p_email and m.step = p_step
$$;

-- The same for the unsubscribe link.
create function pg_temp.unsubscribe(p_email text, p_step integer default 1)
returns integer language sql as $$
    select c.status
      from leadq.message m
      join leadq.enrolment e using (enrolment_id)
     cross join lateral leadq.web_unsubscribe(array[gen_random_uuid()],
           array[jsonb_build_object('message', m.message_id)::text]) c
     where e.email = p_email and m.step = p_step
$$;
