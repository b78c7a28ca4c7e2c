/*
 * The report of points, in real time: what was done at tills stands here ten
 * seconds later.
 *
 * The page asks again by itself, ten seconds after each answer, while somebody
 * looks at it and the period has not ended.  Not server-sent events: those
 * would hold a connection and a place in nginx for each viewer, and something
 * in the database would have to count for all of them at each visit, to tell
 * them a few seconds earlier what nobody acts on in seconds.  A question is
 * answered from days that are counted already and the last three, and goes
 * through every proxy.
 *
 * What is the same as before is not drawn again; what was opened stays open,
 * and the focus where it was.
 */
(function () {
    'use strict';

    var AGAIN_MS = 10000;
    var TOTALS = ['visits', 'sales', 'tests', 'underage', 'verified',
        'refused', 'activations', 'trials', 'redemptions', 'rewards'];
    var VISITS = ['sales', 'tests', 'left', 'underage'];
    var CODES = ['activations', 'trials', 'redemptions'];
    var words = window.leadqWords;
    var charts = window.leadqCharts;
    var parts = window.leadqParts;
    var tables = window.leadqTables;
    var say = words.say;
    var make = parts.make;
    var place = document.getElementById('report');
    var fresh = document.getElementById('fresh');
    var report = null;
    var last = '';
    var timer = 0;
    var page;

    /* --- totals and days ------------------------------------------------------ */

    function totals() {
        var list = make('dl', { class: 'totals ten' });
        var all = report.totals;

        TOTALS.forEach(function (key) {
            var part = key !== 'visits' && ['activations', 'trials',
                'redemptions', 'rewards'].indexOf(key) === -1;

            list.append(make('div', {}, make('dt', {}, say(key)),
                make('dd', {}, words.number(all[key]), part ? ' ' : null,
                    part ? make('small', {}, words.percent(all[key],
                        all.visits)) : null)));
        });
        return list;
    }

    /* Who left is who did nothing else: or is still there. */
    function withLeft(item) {
        return Object.assign({ left: item.visits - item.sales - item.tests
            - item.underage }, item);
    }

    function days(kind, keys, apart, sum) {
        var shown = Object.assign({}, report, {
            days: report.days.map(withLeft) });
        var what = say((kind === 'visits' ? 'days_' : 'codes_')
            + report.unit);
        var columns = kind === 'visits' ? ['visits'].concat(keys,
            ['verified', 'refused']) : keys.concat(['rolled_back',
            'rewards']);
        var head = [say('day')].concat(columns.map(function (key) {
            return say(key);
        }));
        var chart = make('div', { class: 'chart', role: 'img',
            'aria-label': say('chart_' + kind, words.number(sum)) });

        return { node: make('section', { class: 'card ' + kind },
            tables.title(what, head, shown.days.map(function (item) {
                return [item.day].concat(columns.map(function (key) {
                    return item[key];
                }));
            })),
            make('p', { class: 'soft insight' }, say(kind + '_what')),
            parts.legend(keys), chart,
            make('details', { 'data-key': kind },
                make('summary', {}, say('figures')),
                parts.table('wide by-day', what, head,
                    shown.days.map(function (item) {
                        return [words.day(item.day, { dateStyle: 'medium' })]
                            .concat(columns.map(function (key) {
                                return words.number(item[key]);
                            }));
                    })))),
        draw: function () {
            charts.days(chart, shown, keys, apart);
        } };
    }

    /* --- the page -------------------------------------------------------------- */

    /* Of which point, of which advisor, and how to see all again. */
    function filters() {
        var list = make('p', { class: 'filters' });

        ['point', 'advisor'].forEach(function (name) {
            var value = report[name];
            var found = (name === 'point' ? report.points : report.advisors)
                .find(function (item) {
                    return item[name] === value;
                });

            if (value === null || report.who.role === 'advisor'
                || name === 'point' && report.who.point !== null) {
                return;
            }
            list.append(say('of_' + name, found ? found.title : value), ' ',
                tables.button('without ' + name, say('everybody'), null,
                    function () {
                        page.choosePart(name === 'advisor' ? 'of' : name, '');
                    }), ' ');
        });
        return list.firstChild ? list : null;
    }

    function build() {
        var cards = [
            days('visits', VISITS, false, report.totals.visits),
            days('codes', CODES, true, report.totals.redemptions)];
        var nodes = [filters(), totals(), make('div', { class: 'pair' },
            cards[0].node, cards[1].node)];

        if (report.points.length > 1) {
            nodes.push(tables.points(report, page.choosePart, render));
        }
        nodes.push(tables.advisors(report, page.choosePart, render));
        if (report.suspects) {
            nodes.push(tables.suspects(report));
        }
        if (report.programmes.length > 0) {
            nodes.push(tables.programmes(report));
        }
        nodes.forEach(function (node) {
            if (node) {
                place.append(node);
            }
        });
        return cards;
    }

    function keyOf(element) {
        return element && element.getAttribute('data-key');
    }

    function byKey(key) {
        return key && place.querySelector('[data-key="' + CSS.escape(key)
            + '"]');
    }

    /* What somebody has opened, and where he is. */
    function hold() {
        return { focus: keyOf(place.contains(document.activeElement)
            ? document.activeElement.closest('[data-key]') : null),
        open: Array.from(place.querySelectorAll('details[open]'), keyOf) };
    }

    function restore(held) {
        var focus;

        held.open.forEach(function (key) {
            var element = byKey(key);

            if (element) {
                element.open = true;
            }
        });
        focus = byKey(held.focus);
        if (focus) {
            (focus.querySelector('summary') || focus)
                .focus({ preventScroll: true });
        }
    }

    function render() {
        var held, cards;

        if (!report) {
            return;
        }
        held = hold();
        charts.clear();
        place.textContent = '';
        if (report.totals.visits + report.totals.redemptions
            + report.totals.rolled_back === 0) {
            place.append(filters() || '', make('section',
                { class: 'card empty' }, make('h2', {}, say('empty')),
                make('p', { class: 'soft insight' }, say('empty_hint'))));
            cards = [];
        } else {
            cards = build();
        }
        place.hidden = false;
        tellTime();
        restore(held);
        cards.forEach(function (card) {
            card.draw();
        });
    }

    function tellTime() {
        page.tell(words.days(report.from, report.to));
        fresh.textContent = say(page.isOpen() ? 'fresh' : 'still',
            words.time(report.made_at, true));
    }

    function again() {
        clearTimeout(timer);
        if (page.isOpen() && !document.hidden) {
            timer = setTimeout(function () {
                page.load(true).then(again);
            }, AGAIN_MS);
        }
    }

    function show(answer) {
        var now = JSON.stringify(Object.assign({}, answer,
            { made_at: null }));

        report = answer;
        if (now === last && !place.hidden) {
            tellTime();

        } else {
            last = now;
            render();
        }
        again();
    }

    page = window.leadqPeriod({ url: '/v1/desk/report', days: 7,
        filters: ['point', 'of'], show: show });
    page.redraw(render);
    document.addEventListener('visibilitychange', function () {
        if (!document.hidden && page.isOpen()) {
            page.load(true).then(again);
        }
    });
    page.begin().then(again);
}());
