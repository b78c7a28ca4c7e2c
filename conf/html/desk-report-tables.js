/*
 * The tables of the report of points: points, advisors, programmes, and the
 * days that look invented with the visits behind their flags.
 */
(function () {
    'use strict';

    var ROWS = 20;      /* before somebody asks for all */
    var COUNTED = ['visits', 'sales', 'tests', 'verified', 'refused',
        'activations', 'trials', 'redemptions', 'rolled_back', 'rewards'];
    var words = window.leadqWords;
    var parts = window.leadqParts;
    var say = words.say;
    var make = parts.make;
    var whole = {};     /* tables that are shown with all their rows */

    function button(key, text, label, act) {
        var element = make('button', { type: 'button', class: 'plain',
            'data-key': key }, text);

        if (label) {
            element.setAttribute('aria-label', label);
        }
        element.addEventListener('click', act);
        return element;
    }

    /* A title with the table below it as CSV: what, head, rows of values. */
    function title(what, head, rows) {
        return make('div', { class: 'title' }, make('h2', {}, what),
            button('save ' + what, say('save'), say('save_what', what),
                function () {
                    parts.save(what, head, rows);
                }));
    }

    function keysOf(list) {
        return COUNTED.concat(list.length > 0 && 'score' in list[0]
            ? ['flagged', 'score'] : []);
    }

    function cell(item, key) {
        if (key === 'score') {
            return make('span', { class: item.shown > 0 ? 'high' : '' },
                item.score === null ? '—' : words.number(item.score));
        }
        if (key === 'verified') {
            return make('span', {}, words.number(item.verified), ' ',
                make('small', {}, words.percent(item.verified, item.visits)));
        }
        return words.number(item[key]);
    }

    /* Points or advisors; name: what stands at the head of a row of them. */
    function section(kind, list, head, name, render) {
        var keys = keysOf(list);
        var labels = head.concat(keys.map(function (key) {
            return say(key);
        }));
        var some = whole[kind] ? list : list.slice(0, ROWS);
        var node = make('section', { class: 'card ' + kind },
            title(say(kind), labels, list.map(function (item) {
                return [item.title].concat(head.length > 1
                    ? [item.point_title] : [], keys.map(function (key) {
                    return item[key];
                }));
            })),
            parts.table('wide many', say(kind),
                [labels[0]].concat(labels.slice(head.length)),
                some.map(function (item) {
                    return [name(item)].concat(keys.map(function (key) {
                        return cell(item, key);
                    }));
                })));

        if (some.length < list.length) {
            node.append(button('all ' + kind, say('all',
                words.number(list.length)), null, function () {
                whole[kind] = true;
                render();
            }));
        }
        return node;
    }

    function points(report, choose, render) {
        return section('points', report.points, [say('point')],
            function (item) {
                return button('point ' + item.point, item.title, null,
                    function () {
                        choose('point', item.point);
                    });
            }, render);
    }

    function advisors(report, choose, render) {
        return section('advisors', report.advisors,
            [say('advisor'), say('point')], function (item) {
                return make('span', {}, button('advisor ' + item.advisor + ' '
                    + item.point, item.title, null, function () {
                    choose('of', item.advisor);
                }), ' ', make('small', {}, item.point_title));
            }, render);
    }

    /* --- what looks invented ------------------------------------------------- */

    function visit(item) {
        return make('li', {}, make('b', {}, item.at), ' ',
            item.outcome ? words.name('outcome', item.outcome) : say('open'),
            ' — ', item.rules.map(function (rule) {
                return words.name('rule', rule);
            }).join(', '), ' ', make('small', { class: 'id' }, item.visit));
    }

    function suspect(item) {
        var list = make('ul', { class: 'flags' });

        item.flags.forEach(function (flag) {
            list.append(visit(flag));
        });
        if (item.flagged > item.flags.length) {
            list.append(make('li', {}, say('more',
                words.number(item.flagged - item.flags.length))));
        }
        return make('li', { class: item.shown ? 'shown' : '' },
            make('p', {}, make('b', {}, say('suspect', item.title,
                item.point_title)), ' · ', words.day(item.day), ' · ',
            make('span', { class: 'mark' }, say('score_of',
                words.number(item.score))), ' · ',
            say('of_visits', words.number(item.flagged),
                words.number(item.visits))),
            make('details', { 'data-key': [item.day, item.point,
                item.advisor].join(' ') },
            make('summary', {}, say('flags', words.number(item.flagged))),
            list));
    }

    function suspects(report) {
        var list = make('ul', { class: 'suspects' });

        report.suspects.forEach(function (item) {
            list.append(suspect(item));
        });
        return make('section', { class: 'card invented' },
            make('h2', {}, say('suspects')),
            make('p', { class: 'soft insight' },
                say(report.suspects.length > 0 ? 'suspects_what'
                    : 'suspects_none')), list);
    }

    /* --- programmes ----------------------------------------------------------- */

    function programmes(report) {
        var keys = ['codes', 'redemptions', 'rolled_back', 'buyers',
            'k_factor', 'longest_chain', 'mean_chain', 'rewards', 'messages',
            'cost', 'cost_per_buyer'];

        function or(value, text) {
            return value === null ? '—' : text(value);
        }

        function roubles(value) {
            return words.money(value, 'RUB');
        }

        return make('section', { class: 'card programmes' },
            title(say('programmes'), ['programme'].concat(keys),
                report.programmes.map(function (item) {
                    return [item.title].concat(keys.map(function (key) {
                        return item[key];
                    }));
                })),
            make('p', { class: 'soft insight' }, say('programmes_what')),
            parts.table('wide', say('programmes'), ['programme', 'codes',
                'buyers', 'k_factor', 'chain', 'rewards', 'messages', 'cost',
                'cost_per_buyer'].map(function (key) {
                return say(key);
            }), report.programmes.map(function (item) {
                return [item.title, words.number(item.codes),
                    words.number(item.buyers),
                    or(item.k_factor, words.number),
                    item.redemptions > 0 ? say('chain_of',
                        words.number(item.longest_chain),
                        words.number(item.mean_chain)) : '—',
                    words.number(item.rewards), words.number(item.messages),
                    roubles(item.cost),
                    or(item.cost_per_buyer, roubles)];
            })));
    }

    window.leadqTables = { COUNTED: COUNTED, button: button, title: title,
        points: points, advisors: advisors, suspects: suspects,
        programmes: programmes };
}());
