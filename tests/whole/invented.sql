-- Days of simulated advisors: plan() says what an advisor does on a day,
-- enter() does it.  Everything is random, and the same in every run.

create schema sim;

select setseed(0.19);

create table sim.staff as
select 'a' || n as name,
       case when n <= 20 then 'honest'
            else (array['after hours', 'bursts', 'sequences', 'no numbers',
                        'own phones', 'random numbers'])[(n - 20)] end as kind,
       0.65 + 0.2 * random() as proves,
       array['+79' || lpad((1000000 * n)::text, 9, '2'),
             '+79' || lpad((1000000 * n)::text, 9, '7')] as own
  from generate_series(1, 26) n;

select leadq.config_import(jsonb_build_object(
    'points', '[{"name": "mega"}]'::jsonb,
    'gateways', '[{"name": "sms", "channel": "sms", "url": "https://s/"},
                  {"name": "idx", "channel": "sms", "url": "https://i/"}]'
        ::jsonb,
    'verifications', '[{"name": "desk", "kind": "desk", "steps":
        [{"gateway": "sms", "text": {"ru": "{code}"}}]}]'::jsonb,
    'advisors', (select jsonb_agg(jsonb_build_object('name', s.name, 'point',
                            'mega')) from sim.staff s)));

create function sim.phone() returns text language sql volatile as $$
    select '+79' || lpad(floor(random() * 1e9)::bigint::text, 9, '0')
$$;


-- A visit of a day that begins so many minutes after midnight.  number: null,
-- none was given; proof: minutes until the code was right, null: it never was.
create function sim.visit(p_advisor text, p_day date, p_minute double precision,
    p_number text, p_proof double precision, p_more text default '')
returns void language plpgsql as $$
declare
    v_id uuid := gen_random_uuid();
    v_code uuid := gen_random_uuid();
    v_at timestamptz := p_day::timestamp at time zone 'Europe/Moscow'
                        + p_minute * interval '1 min';
    v_contact bigint;
begin
    insert into leadq.visit (visit_id, point_id, advisor_id, device, day,
           opened_at, age, consent_pd, consent_ads, lang)
    select v_id, point_id, advisor_id, sha256(p_advisor::bytea), p_day, v_at,
           'sure', p_number is not null, false, 'ru'
      from leadq.advisor where name = p_advisor;

    if p_more ~ 'typo' then
        perform sim.number(v_id, gen_random_uuid(), p_advisor, v_at,
            substr(p_number, 1, 11) || (9 - right(p_number, 1)::integer),
            null, '');
    end if;
    if p_number is not null then
        perform sim.number(v_id, v_code, p_advisor, v_at, p_number, p_proof,
            p_more);
    end if;
    if p_proof is not null then
        insert into leadq.contact (created_at) values (v_at)
        returning contact_id into v_contact;
    end if;

    update leadq.visit
       set ended_at = v_at + coalesce(p_proof, 3) * interval '1 min',
           outcome = case when random() < 0.5 then 'test' else 'purchase' end,
           verification_id = case when p_proof is not null then v_code end,
           contact_id = v_contact,
           refusal = case when p_proof is null then case
               when p_number is null then 'phone' else 'code' end end
     where visit_id = v_id;

    if p_more ~ 'young' then
        insert into leadq.identity_check (contact_id, gateway_id, visit_id,
               state, created_at, due_at, ended_at)
        select v_contact, gateway_id, v_id, 'failed', v_at, v_at, v_at
          from leadq.gateway where name = 'idx';
    end if;
end
$$;

create function sim.number(p_visit uuid, p_id uuid, p_advisor text,
    p_at timestamptz, p_number text, p_proof double precision, p_more text)
returns void language sql as $$
    insert into leadq.verification (verification_id, profile_id, phone,
           session, advisor, lang, digits, max_checks, seed, created_at,
           expires_at, state, closed_at, visit_id)
    select p_id, profile_id, p_number, sha256(p_advisor::bytea), p_advisor,
           'ru', 4, 3, uuid_send(p_id), p_at, p_at + interval '5 min',
           case when p_proof is null then 'expired' else 'verified' end,
           p_at + coalesce(p_proof, 5) * interval '1 min', p_visit
      from leadq.profile where name = 'desk';
    insert into leadq.verification_send (verification_id, n, step, gateway_id,
           manual, state, queued_at)
    select p_id, 1, 1, gateway_id, false,
           case when p_more ~ 'dead' then 'undelivered' else 'sent' end, p_at
      from leadq.gateway where name = 'sms';
$$;


-- A day between ten and ten: one visitor after another, some together; some
-- come again; some numbers are wrong at first, some codes late.
create function sim.honest(p_advisor text, p_day date, p_visits integer,
    p_proves double precision)
returns void language plpgsql as $$
declare
    v_minute double precision := 600 + 20 * random();
    v_gap double precision := 690.0 / p_visits - 4;
    v_old text[] := array(
        select phone from leadq.verification
         where advisor = p_advisor and state = 'verified'
           and created_at < p_day and created_at > p_day - 20
         order by created_at desc limit 100);
    v_number text;
begin
    for n in 1 .. p_visits loop
        v_number := case when random() < 0.03 and v_old <> '{}'
            then v_old[1 + floor(random() * cardinality(v_old))]
            else sim.phone() end;
        if random() < p_proves then
            perform sim.visit(p_advisor, p_day, v_minute, v_number,
                case when random() < 0.04 then 16 + 10 * random()
                     else 1 + 4 * random() end,
                concat(case when random() < 0.05 then 'typo ' end,
                       case when random() < 0.01 then 'young' end));
        else
            perform sim.visit(p_advisor, p_day, v_minute,
                case when random() < 0.4 then v_number end, null,
                case when random() < 0.1 then 'dead' else '' end);
        end if;
        v_minute := v_minute + case when random() < 0.05 then 1 * random()
            else 4 - v_gap * ln(1 - 0.98 * random()) end;
        exit when v_minute > 1320 + 12 * random();
    end loop;
end
$$;


-- What is made up: so many visits from a minute on, one every p_every.
create function sim.invent(p_advisor text, p_day date, p_visits integer,
    p_from double precision, p_every double precision, p_number text, p_own text[])
returns void language plpgsql as $$
declare
    v_base bigint := substr(sim.phone(), 2)::bigint;
begin
    for n in 1 .. p_visits loop
        perform sim.visit(p_advisor, p_day,
            p_from + n * p_every * (0.7 + 0.6 * random()),
            case p_number
                when 'random' then sim.phone()
                when 'sequence' then '+' || v_base + n
                when 'own' then p_own[1 + n % cardinality(p_own)] end,
            case when p_number = 'own' then 1 + random() end,
            case when p_number = 'random' and random() < 0.3 then 'dead'
                 else '' end);
    end loop;
end
$$;


create function sim.day(p_day date) returns void language plpgsql as $$
declare
    s sim.staff;
begin
    for s in select * from sim.staff loop
        perform sim.honest(s.name, p_day, case s.kind
            when 'honest' then 15 + floor(26 * random())::integer
            when 'after hours' then 12 + floor(9 * random())::integer
            when 'bursts' then 8 + floor(5 * random())::integer
            else 3 end, s.proves);

        perform sim.invent(s.name, p_day, 8 + floor(8 * random())::integer,
                    1340, 1, 'random', null)
          where s.kind = 'after hours';
        perform sim.invent(s.name, p_day, 10 + floor(6 * random())::integer,
                    900, 1, 'none', null)
          where s.kind = 'bursts';
        perform sim.invent(s.name, p_day, 15 + floor(10 * random())::integer,
                    620, 25, case s.kind when 'sequences' then 'sequence'
                        else 'own' end, s.own)
          where s.kind in ('sequences', 'own phones');
        perform sim.invent(s.name, p_day, 20 + floor(10 * random())::integer,
                    620, 20, case s.kind when 'no numbers' then 'none'
                        else 'random' end, null)
          where s.kind in ('no numbers', 'random numbers');
    end loop;
end
$$;
