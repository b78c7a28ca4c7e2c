create or replace function leadq._desk_consents(p_point integer)
returns jsonb
language sql stable
as $$
    -- The words that are read out at a point, by language; null: there are
    -- none.
    with newest as (
        select coalesce((select o.text_version from leadq.point o
                          where o.point_id = p_point),
                        (select t.version
                           from leadq.consent_text t
                          where t.purpose = 'pd_processing'
                          order by t.created_at desc, t.version desc
                          limit 1)) as version
    )
    select jsonb_build_object('version', n.version,
               'pd', jsonb_object_agg(t.lang, t.text)
                   filter (where t.purpose = 'pd_processing'),
               'ads', jsonb_object_agg(t.lang, t.text)
                   filter (where t.purpose = 'ads'))
      from newest n
      join leadq.consent_text t using (version)
     group by n.version
$$;


create or replace function leadq._desk_document(p_advisor leadq.advisor,
    p_session bytea)
returns text
language sql stable
as $$
    -- See web_desk.
    select jsonb_build_object(
        'advisor', jsonb_build_object('name', p_advisor.name,
            'title', p_advisor.title, 'role', p_advisor.role),
        'point', (
            select jsonb_build_object('name', o.name, 'title', o.title,
                       'opens', left(o.opens::text, 5),
                       'closes', left(o.closes::text, 5),
                       'open', leadq._open(leadq.now(), o.time_zone, o.opens,
                                           o.closes) = leadq.now())
              from leadq.point o
             where o.point_id = p_advisor.point_id),
        'questions', leadq._questions_document(),
        'consents', leadq._desk_consents(p_advisor.point_id),
        'visit', (
            select v.visit_id
              from leadq.visit v
             where v.advisor_id = p_advisor.advisor_id
               and v.device = p_session
               and v.ended_at is null
               and v.opened_at > leadq.now() - interval '12 hours'
             order by v.opened_at desc
             limit 1),
        'last', (
            select coalesce(jsonb_agg(jsonb_build_object('id', v.visit_id,
                       'at', v.ended_at, 'outcome', v.outcome,
                       'verified', v.verification_id is not null,
                       'phone_masked', leadq._masked(o.phone))
                       order by v.ended_at desc), '[]')
              from (select w.* from leadq.visit w
                      join leadq.point p using (point_id)
                     where w.advisor_id = p_advisor.advisor_id
                       and w.day = (leadq.now() at time zone p.time_zone)::date
                       and w.ended_at is not null
                     order by w.ended_at desc
                     limit 5) v
              left join leadq.verification o using (verification_id)),
        'answers_unread', (
            select count(*)
              from leadq.ticket t
             where t.advisor_id = p_advisor.advisor_id
               and t.state = 'answered'
               and t.seen_at is null))::text
$$;


create or replace function leadq.web_desk(p_ids uuid[], p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan  -- see README.md, Plans
as $$
declare
    v_row record;
    v_advisor leadq.advisor;
begin
    -- What the page of an advisor begins with: who he is and where, the
    -- questionnaire, the words of the consents, the visit that is open on
    -- this till, his last visits of the day (numbers masked), answers that
    -- he has not seen.  Request: "$session" of the till, advisor (trusted).
    -- 200; 403 for who is nobody here.  Changes nothing.  Called by the
    -- nginx module.
    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by r.n
    loop
        n := v_row.n;
        headers := null;
        v_advisor := leadq._advisor(v_row.request,
                         array['advisor', 'supervisor', 'brand']);

        if v_advisor.advisor_id is null then
            status := 403;
            body := leadq._forbidden_problem();
        else
            status := 200;
            body := leadq._desk_document(v_advisor,
                        leadq._session_hash(v_row.request));
        end if;

        return next;
    end loop;
end
$$;
