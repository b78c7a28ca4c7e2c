-- Who may do what: the web tier calls web_*, the worker the job functions,
-- readers see the views.  Nobody but the owner touches a table.

revoke all on schema leadq from public;
revoke all on all tables in schema leadq from public;
revoke all on all sequences in schema leadq from public;
revoke all on all functions in schema leadq from public;

grant usage on schema leadq to leadq_web, leadq_worker, leadq_read;

grant execute on function
    leadq.web_api(),
    leadq.web_lead(uuid[], text[]),
    leadq.web_confirm(uuid[], text[]),
    leadq.web_unsubscribe(uuid[], text[]),
    leadq.web_open(uuid[], text[]),
    leadq.web_click(uuid[], text[]),
    leadq.web_report_funnel(uuid[], text[]),
    leadq.web_event(uuid[], text[]),
    leadq.web_mail_event(uuid[], text[]),
    leadq.web_otp_start(uuid[], text[]),
    leadq.web_otp_check(uuid[], text[]),
    leadq.web_otp_resend(uuid[], text[]),
    leadq.web_otp(uuid[], text[]),
    leadq.web_receipt(uuid[], text[]),
    leadq.web_identity(uuid[], text[]),
    leadq.web_promo_check(uuid[], text[]),
    leadq.web_promo_reserve(uuid[], text[]),
    leadq.web_promo_redeem(uuid[], text[]),
    leadq.web_promo_release(uuid[], text[]),
    leadq.web_promo_rollback(uuid[], text[]),
    leadq.web_desk(uuid[], text[]),
    leadq.web_visit_open(uuid[], text[]),
    leadq.web_visit_end(uuid[], text[]),
    leadq.web_redemptions(uuid[], text[]),
    leadq.web_ticket(uuid[], text[]),
    leadq.web_tickets(uuid[], text[]),
    leadq.web_ticket_answer(uuid[], text[]),
    leadq.web_desk_report(uuid[], text[])
to leadq_web;

grant execute on function
    leadq.worker_api(),
    leadq.run_rules(integer),
    leadq.promote_jobs(integer),
    leadq.claim_jobs(text, text[], integer[], bigint[], integer, text[],
        integer[]),
    leadq.settle_jobs(bigint[], uuid[], text[], text[]),
    leadq.release_jobs(bigint[], uuid[], integer[]),
    leadq.extend_jobs(bigint[], uuid[], integer),
    leadq.arm_codes(bigint[], uuid[], smallint[], smallint[], text[],
        smallint[]),
    leadq.maintain(),
    leadq.vacuum_held(),
    leadq.queue_figures(),
    leadq.code_figures(),
    leadq.lease_mailbox(text, integer),
    leadq.take_reports(text[])
to leadq_worker;

grant execute on function
    leadq.report_letters(timestamptz, timestamptz),
    leadq.report_leads(timestamptz, timestamptz),
    leadq.report_reasons(timestamptz, timestamptz),
    leadq.report_period(date, date, text),
    leadq.report_funnel(date, date, text),
    leadq.report_desk(date, date, text, text, text, boolean),
    leadq.desk_counts(date, date),
    leadq.programme_counts(date, date),
    leadq.is_shown(integer, double precision, integer),
    leadq.effect_of(text, numeric, numeric, bigint, bigint, bigint, bigint,
        bigint, numeric)
to leadq_read;

grant select on
    leadq.job,
    leadq.job_attempt,
    leadq.job_dead,
    leadq.lead_story,
    leadq.lead_report,
    leadq.partner_report,
    leadq.funnel,
    leadq.trigger_list,
    leadq.trigger_activity,
    leadq.mail_pause,
    leadq.code_report,
    leadq.limit_report,
    leadq.advisor_checks,
    leadq.promo_report,
    leadq.desk_row,
    leadq.desk_report,
    leadq.advisor_score,
    leadq.visit_flag_list,
    leadq.visit_list,
    leadq.redemption_list,
    leadq.code_list,
    leadq.programme_row,
    leadq.programme_effect
to leadq_read;

-- Partitions of the days and months ahead are there before the first job is.
select leadq.maintain();
