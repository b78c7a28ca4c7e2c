create or replace function leadq._find_contacts(p_leads uuid[])
returns void
language plpgsql
as $$
declare
    v_from bigint[];
    v_into bigint[];
begin
    -- Gives every lead with an address its contact: the one of its e-mail,
    -- else of its phone, else a new one.  What a robot sent gets none.  A
    -- phone that is nobody's yet becomes one more address of the contact.  A
    -- contact that was known by phones alone, which nobody has proved to be
    -- theirs, is the person whose lead names such a phone beside an e-mail.
    with wanted as (
        select distinct on (w.channel, w.value) w.*
          from (select case when l.email is null then 'phone' else 'email'
                       end as channel,
                       coalesce(l.email, l.phone) as value, l.lead_id,
                       l.request ->> 'name' as name,
                       l.request ->> 'lang' as lang
                  from leadq.lead l
                 where l.lead_id = any (p_leads)
                   and not l.request ? '$trap'
                   and (l.email is not null or l.phone is not null)) w
         order by w.channel, w.value, w.lead_id
    ), missing as (
        select w.*, nextval('leadq.contact_contact_id_seq') as contact_id
          from wanted w
         where not exists (select from leadq.address a
                            where a.channel = w.channel
                              and a.value = w.value)
    ), fresh as (
        insert into leadq.address (channel, value, contact_id, created_at)
        select m.channel, m.value, m.contact_id, leadq.now()
          from missing m
         order by m.channel, m.value
        on conflict do nothing
        returning contact_id
    )
    insert into leadq.contact (contact_id, name, lang, created_at)
    select m.contact_id, m.name, m.lang, leadq.now()
      from missing m
      join fresh f using (contact_id);

    insert into leadq.address (channel, value, contact_id, created_at)
    select distinct on (l.phone) 'phone', l.phone, a.contact_id, leadq.now()
      from leadq.lead l
     cross join lateral (
        select o.contact_id from leadq.address o
         where o.channel = 'email'
           and o.value = l.email
         limit 1) a
     where l.lead_id = any (p_leads)
       and l.phone is not null
       and not l.request ? '$trap'
     order by l.phone, l.lead_id
    on conflict do nothing;

    select array_agg(m.phone_of), array_agg(m.email_of)
      into v_from, v_into
      from (select distinct on (p.contact_id)
                   p.contact_id as phone_of, e.contact_id as email_of
              from leadq.lead l
             cross join lateral (
                select o.contact_id from leadq.address o
                 where o.channel = 'email'
                   and o.value = l.email
                 limit 1) e
             cross join lateral (
                select o.contact_id from leadq.address o
                 where o.channel = 'phone'
                   and o.value = l.phone
                 limit 1) p
             where l.lead_id = any (p_leads)
               and p.contact_id <> e.contact_id
               and not l.request ? '$trap'
               and not exists (select from leadq.address o
                                where o.contact_id = p.contact_id
                                  and (o.channel = 'email'
                                       or o.state = 'confirmed'))
             order by p.contact_id, l.lead_id) m;

    if v_from is not null then
        perform leadq._merge_contacts(v_from, v_into);
    end if;
end
$$;


create or replace function leadq._merge_contacts(p_from bigint[],
    p_into bigint[])
returns void
language plpgsql
as $$
begin
    -- Contacts that turned out to be others: p_into has their addresses,
    -- leads, letters and events from now on, and a copy of their consents,
    -- which are append-only.  A series that both are in goes on for p_into
    -- alone.  Locks as every rule does.  A pair that was merged before is
    -- merged again without effect.
    perform from leadq.enrolment e
      where e.contact_id = any (p_from || p_into)
      order by e.enrolment_id
        for update;

    perform from leadq.address a
      where a.contact_id = any (p_from || p_into)
      order by a.channel, a.value
        for no key update;

    perform leadq._merge_series(p_from, p_into);
    perform leadq._merge_programmes(p_from, p_into);

    update leadq.address a
       set contact_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where a.contact_id = m.contact;

    update leadq.lead l
       set contact_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where l.contact_id = m.contact;

    update leadq.event v
       set contact_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where v.contact_id = m.contact;

    update leadq.fired f
       set contact_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where f.contact_id = m.contact
       and f.state = 'planned';

    insert into leadq.segment_member as old (segment_id, contact_id,
           added_at)
    select s.segment_id, m.survivor, min(s.added_at)
      from unnest(p_from, p_into) m (contact, survivor)
      join leadq.segment_member s on s.contact_id = m.contact
     group by s.segment_id, m.survivor
     order by s.segment_id, m.survivor
    on conflict (segment_id, contact_id) do update
       set added_at = excluded.added_at
     where old.added_at > excluded.added_at;

    delete from leadq.segment_member s
     where s.contact_id = any (p_from);

    insert into leadq.consent (contact_id, lead_id, message_id, purpose,
           channel, action, evidence, text_version, text_sha256, text_lang,
           shown_at, page_url, form_version, advisor_id, point_id, ip, ua,
           at, copied_from)
    select m.survivor, c.lead_id, c.message_id, c.purpose, c.channel, c.action,
           c.evidence, c.text_version, c.text_sha256, c.text_lang,
           c.shown_at, c.page_url, c.form_version, c.advisor_id, c.point_id,
           c.ip, c.ua, c.at, coalesce(c.copied_from, c.consent_id)
      from unnest(p_from, p_into) m (contact, survivor)
      join leadq.consent c on c.contact_id = m.contact
     order by m.survivor, c.contact_id, c.n
    on conflict do nothing;

    with gone as (
        update leadq.contact c
           set merged_into = m.survivor,
               name = null,
               lang = null
          from unnest(p_from, p_into) m (contact, survivor)
         where (c.contact_id = m.contact or c.merged_into = m.contact)
           and c.merged_into is distinct from m.survivor
        returning c.contact_id, m.survivor
    )
    insert into leadq.event (at, kind, contact_id, data)
    select leadq.now(), 'contact.merged', g.survivor,
           jsonb_build_object('from', g.contact_id)
      from gone g;

    perform leadq._settle_merged(p_into);
end
$$;


create or replace function leadq._merge_series(p_from bigint[],
    p_into bigint[])
returns void
language plpgsql
as $$
begin
    -- Series of p_from go on under p_into.  Where that one has been in the
    -- series itself, what p_from was still to get is cancelled: nobody gets
    -- the letters of a series twice.
    with twice as (
        select e.enrolment_id
          from unnest(p_from, p_into) m (contact, survivor)
          join leadq.enrolment e on e.contact_id = m.contact
          join leadq.enrolment o
            on o.contact_id = m.survivor
           and o.series_id = e.series_id
           and o.occasion = e.occasion
    ), stopped as (
        update leadq.enrolment e
           set state = 'stopped',
               ended_at = leadq.now()
          from twice t
         where e.enrolment_id = t.enrolment_id
           and e.state = 'running'
    ), cancelled as (
        update leadq.message m
           set state = 'cancelled',
               ended_at = leadq.now()
          from twice t
         where m.enrolment_id = t.enrolment_id
           and m.state = 'planned'
        returning m.message_id, m.due_at
    )
    delete from leadq.job_scheduled j
     using cancelled c
     where j.run_at = c.due_at
       and j.ref = c.message_id;

    with moved as (
        update leadq.enrolment e
           set contact_id = m.survivor
          from (select distinct on (f.survivor, n.series_id, n.occasion)
                       f.survivor, n.enrolment_id
                  from unnest(p_from, p_into) f (contact, survivor)
                  join leadq.enrolment n on n.contact_id = f.contact
                 order by f.survivor, n.series_id, n.occasion,
                       n.state = 'running' desc, n.enrolment_id) m
         where e.enrolment_id = m.enrolment_id
           and not exists (select from leadq.enrolment o
                            where o.contact_id = m.survivor
                              and o.series_id = e.series_id
                              and o.occasion = e.occasion)
        returning e.enrolment_id, e.contact_id
    )
    update leadq.message m
       set contact_id = v.contact_id
      from moved v
     where m.enrolment_id = v.enrolment_id;
end
$$;


create or replace function leadq._settle_merged(p_contacts bigint[])
returns void
language plpgsql
as $$
begin
    -- Leads that came to a contact whose series was over before they did end
    -- as others of that series have.
    perform leadq._finish_leads(array_agg(l.lead_id order by l.lead_id),
            array_agg(case e.state when 'confirmed' then 'approved'
                      when 'expired' then 'expired' else 'rejected' end
                      order by l.lead_id),
            array_agg(case e.state when 'confirmed' then null
                      when 'expired' then 'not_confirmed' else 'duplicate' end
                      order by l.lead_id))
       from leadq.lead l
       join leadq.enrolment e
         on e.contact_id = l.contact_id
        and e.series_id = l.series_id
      where l.contact_id = any (p_contacts)
        and l.state = 'pending'
        and e.state <> 'running'
     having count(*) > 0;
end
$$;


create or replace function leadq._contact_of(p_channel text, p_value text)
returns bigint
language sql stable
as $$
    select a.contact_id from leadq.address a
     where a.channel = p_channel and a.value = p_value
$$;


create or replace function leadq._hold_contact(p_channel text,
    p_value text)
returns bigint
language sql volatile
as $$
    -- The same, and nobody merges it with another until we are done.
    select a.contact_id from leadq.address a
     where a.channel = p_channel and a.value = p_value
       for no key update
$$;


create or replace function leadq.contact_merge(p_channel text, p_value text,
    p_other_channel text, p_other_value text)
returns jsonb
language plpgsql
as $$
declare
    v_into bigint := leadq._hold_contact(p_channel, p_value);
    v_from bigint := leadq._hold_contact(p_other_channel, p_other_value);
    v_count integer;
begin
    -- Makes one contact of two: the first keeps its name and gets all that
    -- the other has.  A repeat changes nothing.  Raises P0002 when nobody
    -- has one of the addresses.  Called by the operator.
    if v_into is null or v_from is null then
        raise exception 'nobody has the % address',
            case when v_into is null then 'first' else 'second' end
            using errcode = 'P0002';
    end if;

    if v_into <> v_from then
        update leadq.contact c
           set name = coalesce(c.name, o.name),
               lang = coalesce(c.lang, o.lang)
          from leadq.contact o
         where c.contact_id = v_into
           and o.contact_id = v_from;

        perform leadq._merge_contacts(array[v_from], array[v_into]);
        perform pg_notify('leadq_ready', '');
    end if;

    select count(*) into v_count
      from leadq.address a
     where a.contact_id = v_into;

    return jsonb_build_object('contact', v_into,
        'merged', nullif(v_from, v_into), 'addresses', v_count);
end
$$;


create or replace function leadq.contact_withdraw(p_channel text,
    p_value text, p_purpose text)
returns jsonb
language plpgsql
as $$
declare
    v_contact bigint := leadq._hold_contact(p_channel, p_value);
    v_rows integer;
begin
    -- Takes back what a person agreed to, as he asked in writing or by
    -- phone: 'ads', or 'pd_processing' and with it everything.  His
    -- addresses are suppressed and his series end.  A repeat changes
    -- nothing.  Raises P0002 when nobody has the address.  Called by the
    -- operator.
    if v_contact is null then
        raise exception 'nobody has the address' using errcode = 'P0002';
    end if;

    perform from leadq.enrolment e
      where e.contact_id = v_contact
      order by e.enrolment_id
        for update;

    insert into leadq.consent (contact_id, purpose, channel, action, evidence,
           at)
    select v_contact, w.purpose, w.channel, 'withdrawn', 'operator',
           leadq.now()
      from (values ('ads', 'email'), ('pd_processing', 'any'))
           w (purpose, channel)
     where w.purpose in ('ads', p_purpose)
       and (select c.action from leadq.consent c
             where c.contact_id = v_contact
               and c.purpose = w.purpose
             order by c.at desc, c.n desc
             limit 1) is distinct from 'withdrawn';

    get diagnostics v_rows = row_count;

    insert into leadq.suppression (channel, address_sha256, reason, at)
    select a.channel, leadq._address_hash(a.value), 'unsubscribed',
           leadq.now()
      from leadq.address a
     where a.contact_id = v_contact
    on conflict do nothing;

    if v_rows > 0 then
        insert into leadq.event (at, kind, contact_id, data)
        values (leadq.now(), 'contact.unsubscribed', v_contact,
                jsonb_build_object('purpose', p_purpose));
        perform leadq._close_series(v_contact, 'stopped', 'rejected',
                                    'unsubscribed');
        perform pg_notify('leadq_ready', '');
    end if;

    return jsonb_build_object('contact', v_contact, 'withdrawn', v_rows);
end
$$;


create or replace function leadq.contact_export(p_channel text,
    p_value text)
returns jsonb
language sql stable
as $$
    -- All that is known of the person who has an address, with the texts
    -- that he agreed to, for him and as a proof; null when nobody has it.
    -- "breaks" are consents at which the chain does not hold.  Called by the
    -- operator.
    select jsonb_build_object(
        'contact', to_jsonb(c) - 'merged_into',
        'merged', (select coalesce(jsonb_agg(m.contact_id
                                             order by m.contact_id), '[]')
                     from leadq.contact m
                    where m.merged_into = c.contact_id),
        'addresses', (select jsonb_agg(to_jsonb(a) - 'contact_id'
                          || jsonb_build_object('suppressed', u.reason)
                          order by a.channel, a.value)
                        from leadq.address a
                        left join leadq.suppression u
                          on u.channel = a.channel
                         and u.address_sha256
                             = leadq._address_hash(a.value)
                       where a.contact_id = c.contact_id),
        'consents', (select coalesce(jsonb_agg(to_jsonb(k)
                            || jsonb_build_object('text', t.text)
                            order by k.n), '[]')
                       from leadq.consent k
                       left join leadq.consent_text t
                         on t.purpose = k.purpose
                        and t.version = k.text_version
                        and t.sha256 = k.text_sha256
                        and t.lang = k.text_lang
                      where k.contact_id = c.contact_id),
        'breaks', (select coalesce(jsonb_agg(b order by b), '[]')
                     from leadq.consent_breaks(c.contact_id) b),
        'leads', (select coalesce(jsonb_agg(to_jsonb(l)
                            - array['contact_id', 'source_id', 'series_id']
                         || jsonb_build_object('source', s.name)
                         || jsonb_build_object('told', (
                            select coalesce(jsonb_agg(jsonb_build_object(
                                   'network', w.name, 'status', p.status,
                                   'reason', p.reason, 'state', p.state,
                                   'at', coalesce(p.ended_at, p.created_at))
                                   order by p.status <> 'processed'), '[]')
                              from leadq.postback p
                              join leadq.network w using (network_id)
                             where p.lead_id = l.lead_id))
                         order by l.received_at, l.lead_id), '[]')
                    from leadq.lead l
                    join leadq.source s using (source_id)
                   where l.contact_id = c.contact_id),
        'letters', (select coalesce(jsonb_agg(jsonb_build_object(
                           'series', r.name, 'step', m.step,
                           'email', e.email, 'state', m.state,
                           'class', m.class, 'due_at', m.due_at,
                           'ended_at', m.ended_at,
                           'confirmed_at', m.confirmed_at)
                           order by m.due_at, m.step), '[]')
                      from leadq.message m
                      join leadq.enrolment e using (enrolment_id)
                      join leadq.series r on r.series_id = m.series_id
                     where m.contact_id = c.contact_id),
        'visits', (select coalesce(jsonb_agg(jsonb_build_object(
                           'point', o.name, 'advisor', a.name,
                           'opened_at', v.opened_at, 'age', v.age,
                           'answers', v.answers, 'outcome', v.outcome)
                           order by v.opened_at), '[]')
                     from leadq.visit v
                     join leadq.point o using (point_id)
                     join leadq.advisor a using (advisor_id)
                    where v.contact_id = c.contact_id),
        'codes', (select coalesce(jsonb_agg(jsonb_build_object(
                          'code', o.code, 'programme', p.name,
                          'used', o.used, 'expires_at', o.expires_at,
                          'message', s.state)
                          order by o.code_id), '[]')
                    from leadq.promo_code o
                    join leadq.programme p using (programme_id)
                    left join leadq.sms s using (code_id)
                   where o.owner_id = c.contact_id),
        'purchases', (select coalesce(jsonb_agg(jsonb_build_object(
                              'code', o.code, 'point', q.name,
                              'state', r.state, 'at', r.created_at)
                              order by r.created_at), '[]')
                        from leadq.redemption r
                        join leadq.promo_code o using (code_id)
                        join leadq.point q using (point_id)
                       where r.contact_id = c.contact_id),
        'events', (select coalesce(jsonb_agg(to_jsonb(v)
                             - array['contact_id', 'event_id']
                             order by v.at, v.event_id), '[]')
                     from leadq.event v
                    where v.contact_id = c.contact_id))
      from leadq.contact c
     where c.contact_id = leadq._contact_of(p_channel, p_value)
$$;
