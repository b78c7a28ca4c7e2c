/*
 * What pages with reports are built of: elements, bars, legends, tables, and
 * a table as CSV.
 */
(function () {
    'use strict';

    var words = window.leadqWords;

    /* make('td', {class: 'a'}, 'text', node, ...) */
    function make(name, attributes) {
        var element = document.createElement(name);

        Object.keys(attributes || {}).forEach(function (key) {
            element.setAttribute(key, attributes[key]);
        });
        Array.prototype.slice.call(arguments, 2).forEach(function (child) {
            if (child !== null) {
                element.append(child);
            }
        });
        return element;
    }

    function total(list, key) {
        return list.reduce(function (sum, item) {
            return sum + (item[key] || 0);
        }, 0);
    }

    /* A list of bars: [name, value in words, part of a whole, class] each. */
    function bars(kind, rows) {
        var list = make('ul', { class: 'bars ' + kind });

        rows.forEach(function (row) {
            var bar = make('i');

            bar.style.width = Math.round(row[2] * 1000) / 10 + '%';
            list.append(make('li', { class: row[3] }, make('span', {}, row[0]),
                make('span', { class: 'value' }, row[1]),
                make('span', { class: 'track', 'aria-hidden': 'true' }, bar)));
        });
        return list;
    }

    function legend(keys) {
        var list = make('ul', { class: 'legend' });

        keys.forEach(function (key) {
            list.append(make('li', { class: key }, words.say(key)));
        });
        return list;
    }

    /* Roles, because a phone shows rows of a table as blocks. */
    function table(kind, caption, head, rows) {
        var body = make('tbody', { role: 'rowgroup' });

        rows.forEach(function (row) {
            var line = make('tr', { role: 'row' },
                make('th', { role: 'rowheader', scope: 'row' }, row[0]));

            row.slice(1).forEach(function (cell, i) {
                line.append(make('td', { role: 'cell',
                    'data-label': head[i + 1] }, cell));
            });
            body.append(line);
        });
        return make('table', { role: 'table', class: kind },
            make('caption', {}, caption),
            make('thead', { role: 'rowgroup' }, head.reduce(
                function (line, name) {
                    line.append(make('th', { role: 'columnheader',
                        scope: 'col' }, name));
                    return line;
                }, make('tr', { role: 'row' }))), body);
    }

    /*
     * Saves a table: RFC 4180, with the mark that Excel wants.  A text that
     * would be a formula gets an apostrophe.
     */
    function save(name, head, rows) {
        var text = [head].concat(rows).map(function (row) {
            return row.map(function (cell) {
                var value = cell === null || cell === undefined ? ''
                    : String(cell);

                if (typeof cell === 'string' && /^[=+\-@\t\r]/.test(value)) {
                    value = '\'' + value;
                }
                return /[",\r\n]/.test(value)
                    ? '"' + value.replace(/"/g, '""') + '"' : value;
            }).join(',');
        }).join('\r\n') + '\r\n';
        var url = URL.createObjectURL(new Blob(['\ufeff' + text],
            { type: 'text/csv' }));

        make('a', { href: url, download: name + '.csv' }).click();
        setTimeout(URL.revokeObjectURL, 1000, url);
    }

    window.leadqParts = { make: make, total: total, bars: bars,
        legend: legend, table: table, save: save };
}());
