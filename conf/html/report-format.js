/*
 * How reports write words and numbers in the language of the page.  The words
 * are those of one report: {ru: {key: text}, en: {...}}.
 */
(function () {
    'use strict';

    window.leadqFormat = function (words) {
        function lang() {
            return document.documentElement.lang === 'en' ? 'en' : 'ru';
        }

        function say(key) {
            var args = arguments;

            return words[lang()][key].replace(/%(\d)/g, function (all, n) {
                return args[n];
            });
        }

        /* The word for a code of some kind, "reason" for example. */
        function name(kind, code) {
            return words[lang()][kind][code] || code;
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

        /* exact: to the second. */
        function time(text, exact) {
            return new Intl.DateTimeFormat(lang(), {
                timeStyle: exact ? 'medium' : 'short' })
                .format(new Date(text));
        }

        return { say: say, name: name, number: number, percent: percent,
            money: money, day: day, days: days, time: time };
    };
}());
