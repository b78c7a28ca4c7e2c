create or replace function leadq._letter_preview(p_name text, p_lang text)
returns table (lang text, version integer, subject text, text text,
    html text, source text, from_email text, from_name text, base_url text,
    bulk boolean)
language sql stable
as $$
    -- The newest version of a template, in the language if one is given,
    -- with the sender of the first source whose series sends it; no row:
    -- there is no such template.  Changes nothing.  Called by leadqctl.
    select t.lang, t.version, t.subject, t.text, t.html, s.name,
           s.from_email, s.from_name, s.base_url, coalesce(s.bulk, false)
      from leadq.template t
      left join lateral (
        select o.name, o.from_email, o.from_name, o.base_url,
               r.marketing as bulk,
               o.lang
          from leadq.step p
          join leadq.series r using (series_id)
          join leadq.source o using (series_id)
         where p.template = t.name
         order by o.name
         limit 1) s on true
     where t.name = p_name
       and t.lang = coalesce(p_lang, t.lang)
     order by t.lang = s.lang desc nulls last, t.lang, t.version desc
     limit 1
$$;
