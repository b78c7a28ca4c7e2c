create or replace function leadq._seal_consent()
returns trigger
language plpgsql
as $$
declare
    v_n integer;
    v_hash bytea;
begin
    -- Puts a new consent at the end of its contact's chain.  The contact is
    -- locked: two at a time would be the end of the same chain.
    perform from leadq.contact c
      where c.contact_id = new.contact_id
        for no key update;

    select c.n, c.hash into v_n, v_hash
      from leadq.consent c
     where c.contact_id = new.contact_id
     order by c.n desc
     limit 1;

    new.n := coalesce(v_n, 0) + 1;
    new.prev_hash := v_hash;
    new.person_sha256 := leadq._consent_person(new);
    new.hash := leadq._consent_hash(new);
    return new;
end
$$;


create or replace function leadq._keep_consent()
returns trigger
language plpgsql
as $$
begin
    -- Nothing that was agreed to is changed or deleted, by whomever.  Only
    -- where somebody sat when he agreed may be erased, later.
    if tg_op = 'UPDATE' and tg_table_name = 'consent' then
        if (to_jsonb(old) - array['ip', 'ua', 'page_url'])
               = (to_jsonb(new) - array['ip', 'ua', 'page_url'])
           and (new.ip is null or new.ip = old.ip)
           and (new.ua is null or new.ua = old.ua)
           and (new.page_url is null or new.page_url = old.page_url)
        then
            return new;
        end if;
    end if;

    raise exception 'leadq.% is append-only', tg_table_name
        using errcode = '42501',
              hint = 'A withdrawal is a row too; other words are another '
                     'version of the text.';
end
$$;


create or replace trigger consent_seal
    before insert on leadq.consent
    for each row execute function leadq._seal_consent();

create or replace trigger consent_keep
    before update or delete on leadq.consent
    for each row execute function leadq._keep_consent();

create or replace trigger consent_keep_all
    before truncate on leadq.consent
    for each statement execute function leadq._keep_consent();

create or replace trigger consent_text_keep
    before update or delete on leadq.consent_text
    for each row execute function leadq._keep_consent();

create or replace trigger consent_text_keep_all
    before truncate on leadq.consent_text
    for each statement execute function leadq._keep_consent();


create or replace function leadq._take_consents(p_leads uuid[])
returns void
language plpgsql
as $$
begin
    -- Writes down what the boxes of leads said: one row for the processing
    -- of personal data, one for advertising, each with the hash of the text
    -- that its version names.  A lead from another place than a form says so
    -- in "evidence", and in "consent_at" when that was earlier.
    insert into leadq.consent (contact_id, lead_id, purpose, channel, action,
           evidence, text_version, text_sha256, text_lang, shown_at, page_url,
           form_version, advisor_id, point_id, ip, ua, at)
    select l.contact_id, l.lead_id, c.purpose, c.channel,
           case when (l.request ->> c.field)::boolean then 'given'
                else 'refused' end,
           case when l.request ->> 'evidence'
                     in ('otp', 'paper', 'import', 'operator')
                then l.request ->> 'evidence' else 'checkbox' end,
           l.request ->> 'text_version', t.sha256, t.lang,
           (l.request ->> 'consent_at')::date, l.request ->> 'page_url',
           l.request ->> 'form_version', l.request ->> 'advisor',
           l.request ->> 'point', l.request ->> 'ip', l.request ->> 'ua',
           l.received_at
      from leadq.lead l
      join leadq.source s using (source_id)
     cross join (values ('consent_pd', 'pd_processing', 'any'),
                        ('consent_ads', 'ads', 'email'))
           c (field, purpose, channel)
      left join lateral (
        select x.sha256, x.lang
          from leadq.consent_text x
         where x.purpose = c.purpose
           and x.version = l.request ->> 'text_version'
           and x.lang in (l.request ->> 'lang', s.lang)
         order by x.lang = l.request ->> 'lang' desc
         limit 1) t on true
     where l.lead_id = any (p_leads)
       and l.contact_id is not null
       and l.request ? c.field
     order by l.contact_id, l.lead_id, c.purpose desc;
end
$$;


create or replace function leadq.consent_breaks(p_contact bigint)
returns setof bigint
language sql stable
as $$
    -- The consents of a contact at which its chain does not hold: a row was
    -- changed, or one before it is gone.  No row: all is as it was written.
    -- Called by the operator, through contact_export.
    select c.consent_id
      from (select k as row, k.consent_id, k.n, k.hash, k.prev_hash,
                   lag(k.hash) over w as hash_before,
                   row_number() over w as place
              from leadq.consent k
             where k.contact_id = p_contact
            window w as (order by k.n)) c
     where c.n <> c.place
        or c.prev_hash is distinct from c.hash_before
        or c.hash <> leadq._consent_hash(c.row)
$$;


create or replace function leadq._import_consent_texts(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
    v_there text;
begin
    -- A version that is in force keeps its words: people agreed to them.
    for v_row in
        select t.value ->> 'purpose' as purpose,
               t.value ->> 'version' as version, t.value ->> 'lang' as lang,
               t.value ->> 'text' as text, t.n - 1 as i
          from jsonb_array_elements(p_document -> 'consent_texts')
               with ordinality t (value, n)
    loop
        select t.text into v_there
          from leadq.consent_text t
         where t.purpose = v_row.purpose
           and t.version = v_row.version
           and t.lang = v_row.lang;

        if not found then
            insert into leadq.consent_text
                   (purpose, version, lang, text, sha256, created_at)
            values (v_row.purpose, v_row.version, v_row.lang, v_row.text,
                    sha256(convert_to(v_row.text, 'UTF8')), leadq.now());
            return next format('consent text %s %s %s', v_row.purpose,
                               v_row.version, v_row.lang);
        elsif v_there <> v_row.text then
            perform leadq._refuse(format('consent_texts[%s].text', v_row.i),
                format('version "%s" is in force with other words: people '
                       'agreed to them, give these a new version',
                       v_row.version));
        end if;
    end loop;
end
$$;


create or replace function leadq._consent_texts_document()
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(jsonb_build_object('purpose', t.purpose,
               'version', t.version, 'lang', t.lang, 'text', t.text)
               order by t.purpose, t.version, t.lang), '[]')
      from leadq.consent_text t
$$;
