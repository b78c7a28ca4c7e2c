/*
 * What a page of leadq does beyond plain HTML: the language, the click id of
 * the partner's link, the time zone, problems shown beside their fields.
 * Texts are in the pages; nothing is stored in the browser; everything works
 * without it, and the server has the last word about every value.
 */
(function () {
    'use strict';

    var root = document.documentElement;
    var query = new URLSearchParams(location.search);
    var CLICK_IDS = ['click_id', 'clickid', 'subid', 'sub_id', 'aff_sub',
        'cid', 'transaction_id'];
    var DOMAINS = ['mail.ru', 'yandex.ru', 'ya.ru', 'gmail.com', 'bk.ru',
        'list.ru', 'inbox.ru', 'rambler.ru', 'icloud.com', 'outlook.com'];

    function each(selector, act) {
        Array.prototype.forEach.call(document.querySelectorAll(selector), act);
    }

    /* --- language: the address decides, then the browser ------------------ */

    function language() {
        var asked = query.get('lang') || location.hash.slice(1);

        if (asked === 'ru' || asked === 'en') {
            return asked;
        }
        return /^(ru|be|uk|kk)\b/i.test(navigator.language || 'ru')
            ? 'ru' : 'en';
    }

    /*
     * The language travels as a fragment: a server never sees it, and a
     * browser keeps it over the redirect that answers a form.
     */
    function speak(lang) {
        var title = document.querySelector('title');

        root.lang = lang;
        root.setAttribute('data-lang', lang);
        if (!title.hasAttribute('data-ru')) {
            title.setAttribute('data-ru', title.textContent);
        }
        title.textContent = title.getAttribute('data-' + lang);
        each('form', function (form) {
            var action = form.getAttribute('action')
                || location.pathname + location.search;
            form.setAttribute('action', action.split('#')[0] + '#' + lang);
        });
        each('a[data-keep]', function (link) {
            link.hash = lang;
        });
        each('input[name="lang"]', function (input) {
            input.value = lang;
        });
        each('.langs a', function (link) {
            if (link.hreflang === lang) {
                link.setAttribute('aria-current', 'true');

            } else {
                link.removeAttribute('aria-current');
            }
        });
    }

    function switchable(link) {
        link.addEventListener('click', function (event) {
            event.preventDefault();
            query.delete('lang');
            var rest = query.toString();
            history.replaceState(history.state, '', location.pathname
                + (rest ? '?' + rest : '') + '#' + link.hreflang);
            speak(link.hreflang);
        });
    }

    /* --- the landing's form ----------------------------------------------- */

    function takeClickId(form) {
        var name = CLICK_IDS.find(function (each_name) {
            return query.get(each_name);
        });

        if (name && form.elements.click_id) {
            form.elements.click_id.value = query.get(name);
        }
    }

    /* Letters come in the reader's daytime.  Old browsers know no name. */
    function takeTimeZone(form) {
        var zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

        if (zone && form.elements.time_zone) {
            form.elements.time_zone.value = zone;
        }
    }

    function isWrong(input) {
        var value = input.value.trim();

        if (input.type === 'checkbox') {
            return input.required && !input.checked;
        }
        if (!value) {
            return input.required;
        }
        if (input.type === 'email') {
            return !/^[!-?A-~]+@[^\s@.]+(\.[^\s@.]+)+$/.test(value);
        }
        if (input.type === 'tel') {
            return !/^[\d\s()+.-]+$/.test(value)
                || value.replace(/\D/g, '').length < 10;
        }
        return false;
    }

    function mark(input, wrong) {
        var note = document.getElementById(input.id + '-problem');

        if (!note) {
            return;
        }
        note.hidden = !wrong;
        if (wrong) {
            input.setAttribute('aria-invalid', 'true');

        } else {
            input.removeAttribute('aria-invalid');
        }
    }

    function summarize(box, wrong) {
        var list = box.querySelector('ul');

        list.textContent = '';
        wrong.forEach(function (input) {
            var item = document.createElement('li');
            var link = document.createElement('a');
            var note = document.getElementById(input.id + '-problem');

            link.href = '#' + input.id;
            Array.prototype.forEach.call(note.childNodes, function (node) {
                link.appendChild(node.cloneNode(true));
            });
            link.addEventListener('click', function (event) {
                event.preventDefault();
                input.focus();
            });
            item.appendChild(link);
            list.appendChild(item);
        });
        box.hidden = wrong.length === 0;
    }

    /* One letter more, less, other, or two swapped. */
    function isNear(a, b) {
        var i = 0, j = 0, short = a.length < b.length ? a : b;
        var long = short === a ? b : a;

        if (a === b || long.length - short.length > 1) {
            return false;
        }
        while (i < short.length && short[i] === long[i]) {
            i++;
        }
        while (j < short.length - i
               && short[short.length - 1 - j] === long[long.length - 1 - j]) {
            j++;
        }
        return i + j >= long.length - 1
            || (a.length === b.length && i + j === a.length - 2
                && a[i] === b[i + 1] && a[i + 1] === b[i]);
    }

    function suggest(input) {
        var box = document.getElementById('suggest');
        var at = input.value.lastIndexOf('@');
        var domain = input.value.slice(at + 1).trim().toLowerCase();
        var near = DOMAINS.find(function (known) {
            return isNear(domain, known);
        });

        box.hidden = at < 1 || !near || DOMAINS.indexOf(domain) >= 0;
        if (!box.hidden) {
            box.querySelector('button').textContent =
                input.value.slice(0, at + 1) + near;
        }
    }

    /*
     * Says what is wrong once; the same values sent again go to the server,
     * because a page must never be stricter than the house behind it.
     */
    function watch(form) {
        var box = form.querySelector('.problems');
        var inputs = Array.prototype.filter.call(form.elements,
            function (input) {
                return input.id && /^(email|tel|text|checkbox)$/.test(
                    input.type);
            });
        var told = null;

        function values() {
            return inputs.map(function (input) {
                return input.type === 'checkbox' ? input.checked : input.value;
            }).join('\n');
        }

        form.noValidate = true;
        takeClickId(form);
        takeTimeZone(form);
        form.addEventListener('submit', function (event) {
            var wrong = inputs.filter(isWrong);
            var again = told === values();

            inputs.forEach(function (input) {
                mark(input, wrong.indexOf(input) >= 0);
            });
            summarize(box, wrong);
            if (wrong.length > 0 && !again) {
                told = values();
                event.preventDefault();
                event.stopImmediatePropagation();
                box.focus();
            }
        });
        inputs.forEach(function (input) {
            input.addEventListener('change', function () {
                if (!isWrong(input)) {
                    mark(input, false);
                }
                if (input.type === 'email') {
                    suggest(input);
                }
            });
        });
        form.querySelector('#suggest button').addEventListener('click',
            function (event) {
                form.elements.email.value = event.target.textContent;
                document.getElementById('suggest').hidden = true;
                mark(form.elements.email, isWrong(form.elements.email));
                form.elements.email.focus();
            });
    }

    /* A second press while the first is on its way sends nothing. */
    function once(form) {
        var button = form.querySelector('[type="submit"]');

        if (!button) {
            return;
        }
        form.addEventListener('submit', function (event) {
            if (button.getAttribute('aria-disabled') === 'true') {
                event.preventDefault();
                return;
            }
            button.setAttribute('aria-disabled', 'true');
            setTimeout(function () {
                button.removeAttribute('aria-disabled');
            }, 8000);
        });
        window.addEventListener('pageshow', function () {
            button.removeAttribute('aria-disabled');
        });
    }

    /* --- sorry.html: only what the address names -------------------------- */

    function explain(box) {
        var errors = query.get('error') || '';
        var items = Array.prototype.slice.call(
            box.querySelectorAll('[data-error]'));
        var named = items.filter(function (item) {
            return new RegExp(item.getAttribute('data-error')).test(errors);
        });

        if (named.length > 0) {
            items.forEach(function (item) {
                item.hidden = named.indexOf(item) < 0;
            });
        }
    }

    function back(link) {
        link.addEventListener('click', function (event) {
            if (document.referrer.indexOf(location.origin + '/') === 0
                && history.length > 1)
            {
                event.preventDefault();
                history.back();
            }
        });
    }

    speak(language());

    document.addEventListener('DOMContentLoaded', function () {
        speak(language());
        each('.langs a', switchable);
        each('form[data-watch]', watch);
        each('form', once);
        each('[data-errors]', explain);
        each('a[data-back]', back);
    });

    window.addEventListener('hashchange', function () {
        if (location.hash === '#ru' || location.hash === '#en') {
            speak(location.hash.slice(1));
        }
    });
}());
