/*
 * The period of a report: the form that chooses it, the address that keeps it,
 * so that a report can be kept and sent, and the question to the server.
 *
 *     page.url       where the report is
 *     page.days      how many days it shows at first, until today
 *     page.filters   names of what else the address says
 *     page.show      what is done with an answer
 */
(function () {
    'use strict';

    var DAY = /^\d{4}-\d\d-\d\d$/;

    /* A day of this browser's calendar, so many before today. */
    function dayBefore(days) {
        var at = new Date();

        at.setDate(at.getDate() - days);
        return [at.getFullYear(), String(at.getMonth() + 1).padStart(2, '0'),
            String(at.getDate()).padStart(2, '0')].join('-');
    }

    function problem(response) {
        return new Error(response.status === 422 ? 'order'
            : response.status === 403 ? 'not_allowed' : 'away');
    }

    window.leadqPeriod = function (page) {
        var say = window.leadqWords.say;
        var place = document.getElementById('report');
        var status = document.getElementById('status');
        var form = document.getElementById('period');
        var filter = {};
        var asked = 0;

        function tell(text, failed) {
            status.textContent = text;
            status.classList.toggle('failed', Boolean(failed));
        }

        function mark() {
            var today = dayBefore(0);

            form.querySelectorAll('[data-days]').forEach(function (button) {
                button.setAttribute('aria-pressed',
                    String(form.to.value === today && form.from.value
                        === dayBefore(button.dataset.days - 1)));
            });
        }

        /* Quietly: what is shown stays as it is until there is an answer. */
        function load(quietly) {
            var mine = ++asked;
            var query = new URLSearchParams(Object.assign({
                from: form.from.value, to: form.to.value,
                zone: Intl.DateTimeFormat().resolvedOptions().timeZone
                    || 'UTC' }, filter));

            if (!quietly) {
                mark();
                tell(say('loading'));
                place.setAttribute('aria-busy', 'true');
            }
            return fetch(page.url + '?' + query).then(function (response) {
                if (!response.ok) {
                    throw problem(response);
                }
                return response.json();
            }).then(function (answer) {
                if (mine === asked) {
                    place.removeAttribute('aria-busy');
                    page.show(answer, quietly);
                }
            }).catch(function (error) {
                var why = ['order', 'not_allowed'].indexOf(error.message);

                if (mine === asked) {
                    place.removeAttribute('aria-busy');
                    tell(say(why === -1 ? 'away' : error.message), true);
                }
            });
        }

        function keep(how) {
            history[how](null, '', '?' + new URLSearchParams(Object.assign({
                from: form.from.value, to: form.to.value }, filter))
                + location.hash);
        }

        function choose(from, to, how) {
            form.from.value = from;
            form.to.value = to;
            if (how) {
                keep(how);
            }
            return load();
        }

        /* Another point, or none (''), for example. */
        function choosePart(name, value) {
            if (value) {
                filter[name] = value;

            } else {
                delete filter[name];
            }
            keep('pushState');
            return load();
        }

        function fromAddress() {
            var query = new URLSearchParams(location.search);
            var from = query.get('from'), to = query.get('to');

            filter = {};
            page.filters.forEach(function (name) {
                if (query.get(name)) {
                    filter[name] = query.get(name);
                }
            });
            return DAY.test(from) && DAY.test(to) ? choose(from, to)
                : choose(dayBefore(page.days - 1), dayBefore(0));
        }

        form.addEventListener('submit', function (event) {
            event.preventDefault();
            choose(form.from.value, form.to.value, 'pushState');
        });
        form.addEventListener('click', function (event) {
            var button = event.target.closest('[data-days]');

            if (button) {
                choose(dayBefore(button.dataset.days - 1), dayBefore(0),
                    'pushState');
            }
        });
        window.addEventListener('popstate', fromAddress);

        return { tell: tell, load: load, begin: fromAddress,
            choosePart: choosePart,
            /* Does what is shown still grow? */
            isOpen: function () {
                return form.to.value >= dayBefore(0);
            },
            /* In another language, and in other colours. */
            redraw: function (render) {
                new MutationObserver(render).observe(document.documentElement,
                    { attributes: true, attributeFilter: ['data-lang'] });
                matchMedia('(prefers-color-scheme: dark)')
                    .addEventListener('change', render);
            } };
    };
}());
