/*
 * The charts of the report, by ECharts.  They repeat what the tables say, so
 * a page without ECharts lacks nothing but pictures.  Colours are those of
 * the page; nothing is written into style attributes, which its policy
 * forbids: so tooltips are drawn, too.
 */
(function () {
    'use strict';

    var words = window.leadqWords;
    var alive = [];

    function colour(name) {
        return getComputedStyle(document.documentElement)
            .getPropertyValue('--' + name).trim();
    }

    function clear() {
        alive.forEach(function (item) {
            item.watch.disconnect();
            item.chart.dispose();
        });
        alive = [];
    }

    function draw(element, option) {
        var chart, watch;

        if (!window.echarts) {
            element.remove();
            return;
        }
        chart = window.echarts.init(element);
        option.animation = false;
        option.textStyle = { fontFamily: getComputedStyle(element).fontFamily,
            fontSize: 14, color: colour('ink') };
        chart.setOption(option);
        watch = new ResizeObserver(function () {
            chart.resize();
        });
        watch.observe(element);
        alive.push({ chart: chart, watch: watch });
    }

    function tooltip() {
        return { trigger: 'axis', renderMode: 'richText', confine: true,
            axisPointer: { type: 'shadow',
                shadowStyle: { color: colour('ink'), opacity: .06 } },
            backgroundColor: colour('card'), borderColor: colour('edge'),
            textStyle: { color: colour('ink'), fontSize: 14 },
            valueFormatter: words.number };
    }

    function axis(more) {
        return Object.assign({
            axisLine: { lineStyle: { color: colour('line') } },
            axisTick: { show: false },
            axisLabel: { color: colour('soft'), fontSize: 14 },
            splitLine: { lineStyle: { color: colour('line') } },
        }, more);
    }

    /* What each day has of some things, stacked, or side by side. */
    function days(element, report, states, apart) {
        draw(element, {
            grid: { left: 4, right: 4, top: 12, bottom: 4,
                containLabel: true },
            tooltip: tooltip(),
            xAxis: axis({ type: 'category',
                data: report.days.map(function (item) {
                    return words.day(item.day, report.unit === 'month'
                        ? { month: 'short', year: 'numeric' }
                        : { day: 'numeric', month: 'short' });
                }),
                axisLabel: { color: colour('soft'), fontSize: 14,
                    hideOverlap: true } }),
            yAxis: axis({ type: 'value', minInterval: 1, splitNumber: 3,
                axisLabel: { color: colour('soft'), fontSize: 14,
                    formatter: words.number } }),
            series: states.map(function (state) {
                return { type: 'bar', stack: apart ? state : 'all',
                    name: words.say(state), barMaxWidth: 48, barCategoryGap: '25%',
                    itemStyle: { color: colour(state),
                        borderColor: colour('card'), borderWidth: 1 },
                    data: report.days.map(function (item) {
                        return item[state];
                    }) };
            }),
        });
    }

    /* A group of bars for each letter, the first on top. */
    function letters(element, list, figures) {
        element.style.height = 24 + list.length * (figures.length * 20 + 24)
            + 'px';
        draw(element, {
            grid: { left: 4, right: 56, top: 0, bottom: 0,
                containLabel: true },
            tooltip: tooltip(),
            xAxis: axis({ type: 'value', minInterval: 1, show: false }),
            yAxis: axis({ type: 'category', inverse: true,
                axisLabel: { color: colour('ink'), fontSize: 14 },
                data: list.map(function (letter) {
                    return words.say('letter', letter.step);
                }) }),
            series: figures.map(function (figure) {
                return { type: 'bar', name: words.say(figure),
                    barMaxWidth: 16, barGap: '25%', barCategoryGap: '30%',
                    itemStyle: { color: colour(figure),
                        borderRadius: [0, 3, 3, 0] },
                    label: { show: true, position: 'right', fontSize: 14,
                        color: colour('ink'),
                        formatter: function (item) {
                            return words.number(item.value);
                        } },
                    data: list.map(function (letter) {
                        return letter[figure];
                    }) };
            }),
        });
    }

    window.leadqCharts = { clear: clear, days: days, letters: letters };
}());
