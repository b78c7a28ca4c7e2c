create or replace function leadq._letter_links(p_html text)
returns table (n integer, url text)
language sql immutable
as $$
    -- The fixed links of a letter, each once, numbered as they come: web
    -- addresses without variables. A version of a template never changes,
    -- so a number means the same link for ever.
    select row_number() over (order by min(m.at))::integer, m.href
      from (select r.match[1] as href, r.at
              from regexp_matches(p_html, 'href="(https?://[^"{}]+)"', 'gi')
                   with ordinality r (match, at)) m
     group by m.href
     order by 1
     limit 100
$$;


create or replace function leadq._tracked_html(p_html text, p_opens boolean,
    p_clicks boolean)
returns text
language plpgsql immutable
as $$
declare
    c_image constant text := '<img src="{{open_url}}" width="1" height="1" '
        'alt="" style="display:block;border:0;">';
    v_html text := p_html;
    v_link record;
    v_body integer;
begin
    -- A letter with what its source wants to know: links that lead over the
    -- site, an image at the end.  Never the confirmation nor the unsubscribe
    -- link, which have variables.
    if p_clicks then
        for v_link in select l.n, l.url from leadq._letter_links(p_html) l
        loop
            v_html := replace(v_html, 'href="' || v_link.url || '"',
                              'href="{{click_url}}/' || v_link.n || '"');
        end loop;
    end if;

    if p_opens then
        v_body := strpos(lower(v_html), '</body>');
        v_html := case when v_body = 0 then v_html || c_image
                       else overlay(v_html placing c_image from v_body for 0)
                  end;
    end if;

    return v_html;
end
$$;


create or replace function leadq._is_seen(p_request jsonb)
returns boolean
language sql immutable
as $$
    -- Whether somebody may have looked: neither a question for the headers
    -- alone nor what a program fetches in advance.
    select coalesce(p_request ->> 'method', 'GET') = 'GET'
           and coalesce(p_request ->> 'purpose', '') !~* 'prefetch|preview'
$$;


create or replace function leadq._note_event(p_message uuid, p_kind text,
    p_contact bigint, p_email text, p_data jsonb)
returns void
language plpgsql
as $$
begin
    -- Somebody did something with a letter: the mailbox is alive (A-4), and
    -- whoever waits for the event hears of it.
    perform leadq._address_alive(p_email);

    insert into leadq.event (at, kind, contact_id, ref, data)
    values (leadq.now(), p_kind, p_contact, p_message, p_data);
end
$$;


create or replace function leadq.web_open(p_ids uuid[], p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_row record;
begin
    -- The image of a letter was fetched.  Request: message (from the signed
    -- link), image (trusted: where the image is), method, purpose (trusted:
    -- what a browser says of a prefetch).  The first look at a letter is
    -- noted; nothing else hangs on it, because programs look, too.  Always
    -- answered with the image.  Called by the nginx module.
    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by r.request::jsonb ->> 'message'
    loop
        if leadq._is_seen(v_row.request) then
            perform leadq._open((v_row.request ->> 'message')::uuid);
        end if;

        n := v_row.n;
        status := 303;
        headers := 'Location: ' || (v_row.request ->> 'image');
        body := null;
        return next;
    end loop;
end
$$;


create or replace function leadq._open(p_message uuid)
returns void
language plpgsql
as $$
declare
    v_who record;
begin
    -- Notes the first time that a letter was opened.
    if exists (select from leadq.message m
                where m.message_id = p_message
                  and m.opened_at is not null)
    then
        return;
    end if;

    v_who := leadq._lock_contact(p_message);

    update leadq.message m
       set opened_at = leadq.now()
     where m.message_id = p_message
       and m.opened_at is null;

    if found then
        perform leadq._note_event(p_message, 'letter.opened',
            v_who.contact_id, v_who.email,
            jsonb_build_object('step', v_who.step));
    end if;
end
$$;


create or replace function leadq.web_click(p_ids uuid[], p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_row record;
    v_url text;
begin
    -- A counted link of a letter was followed.  Request: message (from the
    -- signed link), link (its number), method, purpose.  Answers with the
    -- address that stands in the letter, so nobody can make this site lead
    -- elsewhere; 410 when there is no such link.  The first click on each
    -- link is noted.  Called by the nginx module.
    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by r.request::jsonb ->> 'message'
    loop
        v_url := leadq._click((v_row.request ->> 'message')::uuid,
            (v_row.request ->> 'link')::integer,
            leadq._is_seen(v_row.request));
        n := v_row.n;
        status := case when v_url is null then 410 else 302 end;
        headers := 'Location: ' || v_url;
        body := case when v_url is null then leadq._link_closed() end;
        return next;
    end loop;
end
$$;


create or replace function leadq._click(p_message uuid, p_link integer,
    p_seen boolean)
returns text
language plpgsql
as $$
declare
    v_url text;
    v_known boolean;
    v_who record;
begin
    -- Where a link of a letter leads, or null; notes its first click.
    select replace(l.url, '&amp;', '&'), p_link = any (m.clicked)
      into v_url, v_known
      from leadq.message m
      join leadq.template t using (template_id)
     cross join lateral leadq._letter_links(t.html) l
     where m.message_id = p_message
       and l.n = p_link;

    if v_url is null or v_known or not p_seen then
        return v_url;
    end if;

    v_who := leadq._lock_contact(p_message);

    update leadq.message m
       set clicked = m.clicked || p_link::smallint
     where m.message_id = p_message
       and not p_link = any (m.clicked);

    if found then
        perform leadq._note_event(p_message, 'letter.clicked',
            v_who.contact_id, v_who.email,
            jsonb_build_object('step', v_who.step, 'link', p_link,
                               'url', v_url));
    end if;

    return v_url;
end
$$;
