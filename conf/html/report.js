/*
 * The funnel report: asks for the figures of a period and shows them, as
 * text and tables first, then as charts.  The period stands in the address,
 * so that a report can be kept and sent.
 */
(function () {
    'use strict';

    var STATES = ['approved', 'pending', 'expired', 'rejected'];
    var words = window.leadqWords;
    var charts = window.leadqCharts;
    var parts = window.leadqParts;
    var say = words.say;
    var make = parts.make, total = parts.total, bars = parts.bars;
    var legend = parts.legend, table = parts.table;
    var place = document.getElementById('report');
    var report = null;
    var page;

    /* --- totals ------------------------------------------------------------- */

    function payments(sources) {
        var sums = new Map();

        sources.forEach(function (source) {
            if (source.money > 0) {
                sums.set(source.currency,
                    (sums.get(source.currency) || 0) + source.money);
            }
        });
        return Array.from(sums, function (pair) {
            return words.money(pair[1], pair[0]);
        }).join(' + ');
    }

    function totals() {
        var sources = report.sources;
        var leads = total(sources, 'leads');
        var list = make('dl', { class: 'totals' });

        function figure(key, value, part) {
            list.append(make('div', {}, make('dt', {}, say(key)),
                make('dd', {}, value, part === null ? null : ' ',
                    part === null ? null : make('small', {}, words.percent(part, leads)))));
        }

        figure('leads', words.number(leads), null);
        ['confirmed', 'approved', 'rejected'].forEach(function (key) {
            var sum = key !== 'confirmed' ? total(sources, key)
                : sources.reduce(function (all, source) {
                    return all + total(source.letters, key);
                }, 0);

            figure(key, words.number(sum), sum);
        });
        figure('money', payments(sources) || say('money_none'), null);
        return list;
    }

    /* --- days --------------------------------------------------------------- */

    function days() {
        var chart = make('div', { class: 'chart', role: 'img',
            'aria-label': say('chart_days',
                words.number(total(report.sources, 'leads'))) });
        var section = make('section', { class: 'card days' },
            make('h2', {}, say('days_' + report.unit)),
            make('p', { class: 'soft insight' }, say('days_what')),
            legend(STATES), chart,
            make('details', {}, make('summary', {}, say('figures')),
                table('by-day', say('days_' + report.unit),
                    [say('day')].concat(STATES.map(function (state) {
                        return say(state);
                    })),
                    report.days.map(function (item) {
                        return [words.day(item.day, { dateStyle: 'medium' })]
                            .concat(STATES.map(function (state) {
                                return words.number(item[state]);
                            }));
                    }))));

        return { node: section, draw: function () {
            charts.days(chart, report, STATES);
        } };
    }

    /* --- a source ------------------------------------------------------------ */

    /* The letters of a source by series, those that confirm first. */
    function seriesOf(source) {
        var series = new Map();

        source.letters.forEach(function (letter) {
            series.set(letter.series,
                (series.get(letter.series) || []).concat(letter));
        });
        return Array.from(series.values()).sort(function (a, b) {
            return total(b, 'confirmed') - total(a, 'confirmed');
        });
    }

    /* What a marketer looks for first: are reminders worth their letters? */
    function insight(list) {
        var all = total(list, 'confirmed');
        var later = total(list.filter(function (letter) {
            return letter.step > 1;
        }), 'confirmed');
        var text, bold, halves;

        if (all === 0 || later === 0) {
            text = say(all === 0 ? 'unconfirmed' : 'first');
            return make('p', { class: 'insight' }, text);
        }
        bold = words.percent(later, all);
        halves = say('reminders', '\n').split('\n');
        return make('p', { class: 'insight' }, halves[0],
            make('b', {}, bold), halves[1]);
    }

    function lettersTable(list) {
        var optional = ['opened', 'clicked'].filter(function (key) {
            return list.some(function (letter) {
                return letter[key] !== null;
            });
        }).concat(['failed', 'waiting'].filter(function (key) {
            return total(list, key) > 0;
        }));
        var keys = ['sent', 'delivered', 'bounced'].concat(optional,
            ['confirmed']);

        function value(letter, key) {
            var cell = document.createDocumentFragment();

            cell.append(letter[key] === null ? '—' : words.number(letter[key]));
            if (key === 'bounced' && letter.hard > 0) {
                cell.append(' ', make('small', {},
                    say('hard', words.number(letter.hard))));
            }
            return make('span', {}, cell);
        }

        return table('wide', say('letters'),
            [say('letter', '').trim()].concat(keys.map(function (key) {
                return say(key);
            }), say('share')),
            list.map(function (letter) {
                return [make('span', {}, say('letter', letter.step), ' ',
                    make('small', {}, letter.template || letter.series))]
                    .concat(keys.map(function (key) {
                        return value(letter, key);
                    }), letter.share === null ? '—'
                        : words.percent(letter.share, 100));
            }));
    }

    function shares(list) {
        return make('div', {}, make('h3', {}, say('share_title')),
            bars('shares', list.map(function (letter) {
                return [say('letter', letter.step),
                    words.percent(letter.share, 100), letter.share / 100,
                    'confirmed'];
            })));
    }

    function series(source, list) {
        var figures = ['sent', 'delivered', 'opened', 'clicked', 'confirmed']
            .filter(function (key) {
                return list.some(function (letter) {
                    return letter[key] !== null;
                });
            });
        var chart = make('div', { class: 'chart', role: 'img',
            'aria-label': say('chart_letters', source.source) });
        var confirms = total(list, 'confirmed') > 0;

        return { nodes: [insight(list),
            make('div', { class: 'columns' },
                make('div', {}, legend(figures), chart),
                confirms ? shares(list) : null),
            lettersTable(list)],
        draw: function () {
            charts.letters(chart, list, figures);
        } };
    }

    function reasons(source) {
        return make('div', {}, make('h3', {}, say('reasons')),
            bars('why', source.reasons.map(function (item) {
                return [words.name('reason', item.reason), words.number(item.leads)
                    + ' · ' + words.percent(item.leads, source.leads),
                item.leads / source.leads,
                item.reason === 'not_confirmed' ? 'expired' : 'rejected'];
            })));
    }

    function sourceCard(source) {
        var line = say('source_line', words.number(source.leads),
            words.percent(source.approved, source.leads));
        var cards = seriesOf(source).map(function (list) {
            return series(source, list);
        });
        var node = make('section', { class: 'card source' },
            make('h2', {}, source.source),
            make('p', { class: 'soft insight' }, line
                + (source.money > 0 ? ' · '
                    + words.money(source.money, source.currency) : '')));

        cards.forEach(function (part) {
            node.append.apply(node, part.nodes);
        });
        if (cards.length === 0) {
            node.append(make('p', { class: 'insight' }, say('no_letters')));
        }
        if (source.reasons.length > 0) {
            node.append(reasons(source));
        }
        return { node: node, draw: function () {
            cards.forEach(function (part) {
                part.draw();
            });
        } };
    }

    /* --- the page ------------------------------------------------------------ */

    function render() {
        var cards;

        if (!report) {
            return;
        }
        charts.clear();
        place.textContent = '';
        if (report.sources.length === 0) {
            place.append(make('section', { class: 'card empty' },
                make('h2', {}, say('empty')),
                make('p', { class: 'soft insight' }, say('empty_hint'))));
        } else {
            cards = [days()].concat(report.sources.map(sourceCard));
            place.append(totals());
            cards.forEach(function (part) {
                place.append(part.node);
            });
        }
        place.hidden = false;
        page.tell(say('updated', words.days(report.from, report.to),
            words.time(report.made_at)));
        (cards || []).forEach(function (part) {
            part.draw();
        });
    }

    page = window.leadqPeriod({ url: '/v1/reports/funnel', days: 30,
        filters: [], show: function (answer) {
            report = answer;
            render();
        } });
    page.redraw(render);
    page.begin();
}());
