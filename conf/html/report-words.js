/*
 * What the report says, in both languages, and how it writes numbers.  One
 * word of a figure is one key; %1 and %2 are replaced.
 */
(function () {
    'use strict';

    var WORDS = {
        ru: {
            loading: 'Считаем…',
            away: 'Отчёт не пришёл: база не ответила. Попробуйте ещё раз.',
            order: 'Период заканчивается раньше, чем начинается.',
            updated: '%1 · обновлено в %2',
            empty: 'За этот период заявок не было.',
            empty_hint: 'Выберите период подлиннее или проверьте, что форма '
                + 'и партнёры присылают заявки.',
            leads: 'Заявки',
            confirmed: 'Подтвердили',
            approved: 'Одобрены',
            rejected: 'Отклонены',
            expired: 'Не дождались',
            pending: 'Ждут',
            money: 'К оплате',
            money_none: 'нет выплат',
            days_day: 'По дням',
            days_week: 'По неделям',
            days_month: 'По месяцам',
            days_what: 'Заявки каждого дня и что с ними стало',
            figures: 'Те же цифры таблицей',
            day: 'День',
            letters: 'Письма',
            letter: 'Письмо %1',
            sent: 'Отправлено',
            delivered: 'Доставлено',
            bounced: 'Вернулось',
            hard: 'из них навсегда: %1',
            failed: 'Не отправлено',
            waiting: 'Ещё в очереди',
            opened: 'Открыли',
            clicked: 'Перешли',
            share: 'Доля',
            share_title: 'После какого письма подтверждают',
            reasons: 'Почему отклонены или не дождались',
            reminders: 'Напоминания принесли %1 подтверждений.',
            first: 'Все подтверждения пришли после первого письма.',
            unconfirmed: 'Пока никто не подтвердил.',
            no_letters: 'Источник не отправляет писем.',
            source_line: '%1 заявок, одобрено %2',
            chart_days: 'Столбики: заявки по дням, всего %1.',
            chart_letters: 'Полосы по письмам источника %1: отправлено, '
                + 'доставлено, подтвердили.',
            reason: {
                empty_email: 'Почта не указана',
                bad_format: 'Почта с ошибкой',
                bad_domain: 'Домен не принимает почту',
                blocked: 'Отписались раньше',
                hard_bounce: 'Такого адреса нет',
                soft_x3: 'Письма трижды вернулись',
                duplicate: 'Повторная заявка',
                unsubscribed: '«Это не я» или отписка',
                not_confirmed: 'Не подтвердили',
                spam: 'Робот',
                test: 'Проверочная заявка',
            },
        },
        en: {
            loading: 'Counting…',
            away: 'The report did not come: the database gave no answer. '
                + 'Please try again.',
            order: 'The period ends before it begins.',
            updated: '%1 · updated at %2',
            empty: 'No leads came in this period.',
            empty_hint: 'Choose a longer one, or see whether the form and '
                + 'the partners send leads.',
            leads: 'Leads',
            confirmed: 'Confirmed',
            approved: 'Approved',
            rejected: 'Rejected',
            expired: 'Expired',
            pending: 'Waiting',
            money: 'To pay',
            money_none: 'no payouts',
            days_day: 'Day by day',
            days_week: 'Week by week',
            days_month: 'Month by month',
            days_what: 'The leads of each day and what became of them',
            figures: 'The same figures as a table',
            day: 'Day',
            letters: 'Letters',
            letter: 'Letter %1',
            sent: 'Sent',
            delivered: 'Delivered',
            bounced: 'Bounced',
            hard: 'for good: %1',
            failed: 'Not sent',
            waiting: 'Still to send',
            opened: 'Opened',
            clicked: 'Clicked',
            share: 'Share',
            share_title: 'After which letter people confirm',
            reasons: 'Why rejected or expired',
            reminders: 'Reminders brought %1 of the confirmations.',
            first: 'All confirmations came after the first letter.',
            unconfirmed: 'Nobody has confirmed yet.',
            no_letters: 'This source sends no letters.',
            source_line: '%1 leads, %2 approved',
            chart_days: 'Bars: leads by day, %1 in all.',
            chart_letters: 'Bars by letter of source %1: sent, delivered, '
                + 'confirmed.',
            reason: {
                empty_email: 'No e-mail given',
                bad_format: 'Malformed e-mail',
                bad_domain: 'The domain takes no mail',
                blocked: 'Unsubscribed before',
                hard_bounce: 'No such address',
                soft_x3: 'Letters came back three times',
                duplicate: 'A lead that came before',
                unsubscribed: '“This was not me” or unsubscribed',
                not_confirmed: 'Not confirmed',
                spam: 'A robot',
                test: 'A test lead',
            },
        },
    };

    function lang() {
        return document.documentElement.lang === 'en' ? 'en' : 'ru';
    }

    function say(key) {
        var args = arguments;

        return WORDS[lang()][key].replace(/%(\d)/g, function (all, n) {
            return args[n];
        });
    }

    function reason(code) {
        return WORDS[lang()].reason[code] || code;
    }

    function number(value) {
        return new Intl.NumberFormat(lang()).format(value);
    }

    function percent(part, whole) {
        return new Intl.NumberFormat(lang(), { style: 'percent',
            maximumFractionDigits: 1 }).format(whole ? part / whole : 0);
    }

    function money(value, currency) {
        if (!currency) {
            return number(value);
        }
        return new Intl.NumberFormat(lang(), { style: 'currency',
            currency: currency, minimumFractionDigits: 0,
            maximumFractionDigits: 2 }).format(value);
    }

    /* A day as it stands in the report, which knows no time of day. */
    function day(text, style) {
        return new Intl.DateTimeFormat(lang(), Object.assign({
            timeZone: 'UTC' }, style || { dateStyle: 'long' }))
            .format(new Date(text + 'T00:00:00Z'));
    }

    function days(from, to) {
        return new Intl.DateTimeFormat(lang(), { dateStyle: 'long',
            timeZone: 'UTC' }).formatRange(new Date(from + 'T00:00:00Z'),
            new Date(to + 'T00:00:00Z'));
    }

    function time(text) {
        return new Intl.DateTimeFormat(lang(), { timeStyle: 'short' })
            .format(new Date(text));
    }

    window.leadqWords = { say: say, reason: reason, number: number,
        percent: percent, money: money, day: day, days: days,
        time: time };
}());
