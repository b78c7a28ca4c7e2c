create or replace function leadq.import_begin(p_source text, p_what text)
returns table (import_id bigint, at_byte bigint, lines bigint, ended boolean,
    letters boolean, lang text, salt text, outcomes jsonb)
language plpgsql
as $$
#variable_conflict use_column
declare
    v_source leadq.source;
begin
    -- Begins the import of a file into a source, or finds how far it has
    -- come; p_what is the hash of the file and of how it is read.  Tells
    -- whether the source writes letters, which need an e-mail.  Raises P0002
    -- for a source that nobody has described.  Called by leadqctl import.
    select * into v_source
      from leadq.source s
     where s.name = p_source
       and s.configured;

    if not found then
        raise exception 'there is no source "%"', p_source
            using errcode = 'P0002',
                  hint = 'Sources come with "leadqctl config import".';
    end if;

    insert into leadq.import (source_id, what_sha256, started_at)
    values (v_source.source_id, p_what, leadq.now())
    on conflict do nothing;

    return query
        select i.import_id, i.at_byte, i.lines, i.ended_at is not null,
               v_source.series_id is not null, v_source.lang, t.value,
               i.outcomes
          from leadq.import i
         cross join leadq.import_salt t
         where i.source_id = v_source.source_id
           and i.what_sha256 = p_what;
end
$$;


create or replace function leadq.import_leads(p_import bigint,
    p_from bigint, p_to bigint, p_lines bigint, p_refused jsonb,
    p_ids uuid[], p_requests text[], p_last boolean)
returns jsonb
language plpgsql
set enable_seqscan = off set jit = off  -- see README.md, Plans
as $$
declare
    v_import leadq.import;
    v_erased integer[];
    v_new uuid[];
    v_outcomes jsonb;
begin
    -- Takes the leads of a file from byte p_from to p_to and carries out
    -- their first rule at once: no lead of the web waits behind a million of
    -- them, and no letter to one behind theirs.  A lead that is there already
    -- changes nothing; one of an erased person is not stored.  p_refused
    -- counts the lines that leadqctl refused, by reason.  Returns what became
    -- of all lines until now.  Raises 55000 when somebody else goes on with
    -- the same import.  Called by leadqctl import, with one batch in a
    -- transaction.
    select * into v_import
      from leadq.import i
     where i.import_id = p_import
       for update;

    if v_import.at_byte <> p_from or v_import.ended_at is not null then
        raise exception 'this file is being imported by somebody else'
            using errcode = '55000';
    end if;

    select coalesce(array_agg(r.n), '{}') into v_erased
      from unnest(p_requests) with ordinality q (request, n)
     cross join lateral (
        select q.n::integer, q.request::jsonb as request) r
     where exists (select from leadq.suppression u
                    where u.reason = 'erased'
                      and (u.channel, u.address_sha256) in (
                          ('email', leadq._address_hash(
                              r.request ->> 'email')),
                          ('phone', leadq._address_hash(
                              r.request ->> 'phone'))));

    select array_agg(f.lead_id) into v_new
      from leadq._insert_leads(
           array(select i.id from unnest(p_ids) with ordinality i (id, n)
                  where i.n <> all (v_erased) order by i.n),
           array(select q.request
                   from unnest(p_requests) with ordinality q (request, n)
                  where q.n <> all (v_erased) order by q.n),
           leadq.now()) f (lead_id);

    perform leadq._intake(v_new, true);

    select jsonb_object_agg(o.what, o.n) into v_outcomes
      from (select w.what, sum(w.n) as n
              from (select e.key as what, e.value::bigint as n
                      from jsonb_each_text(v_import.outcomes) e
                    union all
                    select 'refused ' || e.key, e.value::bigint
                      from jsonb_each_text(p_refused) e
                    union all
                    select 'erased before', cardinality(v_erased)
                    union all
                    select 'there before', cardinality(p_ids)
                           - cardinality(v_erased)
                           - coalesce(cardinality(v_new), 0)
                    union all
                    select 'taken ' || concat_ws(' ', l.state, l.reason),
                           count(*)
                      from leadq.lead l
                     where l.lead_id = any (v_new)
                     group by 1) w
             where w.n > 0
             group by w.what) o;

    update leadq.import i
       set at_byte = p_to,
           lines = p_lines,
           outcomes = coalesce(v_outcomes, '{}'),
           ended_at = case when p_last then leadq.now() end
     where i.import_id = p_import;

    if v_new is not null then
        perform pg_notify('leadq_ready', '');
    end if;

    return coalesce(v_outcomes, '{}');
end
$$;
