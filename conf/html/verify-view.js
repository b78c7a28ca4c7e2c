/*
 * What <leadq-verify> looks like: its parts and what they show of the state
 * that verify.js keeps.
 */
import { say } from './verify-words.js';

const SAY_EVERY_S = 10;
/* Of any code: an SMS may come while the page still waits for a call. */
const CODE_MAX = 8;
let count = 0;

/* make('p', {class: 'a', hidden: ''}, 'text', node, ...) */
export function make(name, attributes, ...children) {
    const element = document.createElement(name);

    for (const [key, value] of Object.entries(attributes)) {
        element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
}

/* A text that did not change is not read aloud again. */
function put(element, text) {
    if (element.textContent !== text) {
        element.textContent = text;
    }
    element.hidden = text === '' && !element.hasAttribute('role');
}

/* A number stays on one line. */
export function whole(phone) {
    return phone.replace(/ /g, '\u00a0').replace(/-/g, '-\u2060');
}

export function digitsOf(text) {
    return text.replace(/\D/g, '');
}

/*
 * An element without behaviour: whoever extends it has start, check, resend
 * and change, which its buttons call, and sets
 *   stage   idle code verified closed; data-stage tells the page's style
 *   is      the verification, as the server last told it
 *   until   {resend, expires}: times of Date.now()
 *   spent   nothing more can be sent
 *   error   [word, values...] of what is wrong, or null
 */
export class View extends HTMLElement {
    constructor() {
        super();
        this.stage = 'idle';
        this.is = null;
        this.until = { resend: 0, expires: 0 };
        this.spent = false;
        this.error = null;
        this.busy = false;
        this.before = ''; /* the field, a moment ago */
    }

    /* The proved verification's id, or ''. */
    get verification() {
        return this.stage === 'verified' ? this.is.id : '';
    }

    /* --- building --------------------------------------------------------- */

    button(name, act) {
        const button = make('button', { type: 'button',
            class: `leadq-${name}` });

        button.addEventListener('click', () => {
            if (!this.busy) {
                act();
            }
        });
        return button;
    }

    build() {
        const id = `leadq-verify-${count += 1}`;
        const p = {
            get: this.button('get', () => this.start()),
            told: make('p', { class: 'leadq-told', id: `${id}-told`,
                role: 'status' }),
            label: make('label', { for: id }),
            code: make('input', { id, class: 'leadq-code', type: 'text',
                inputmode: 'numeric', autocomplete:
                    this.hasAttribute('aloud') ? 'off' : 'one-time-code',
                pattern: '[0-9]*', maxlength: CODE_MAX, enterkeyhint: 'done',
                autocapitalize: 'none', spellcheck: 'false',
                'aria-describedby': `${id}-told ${id}-error` }),
            check: this.button('check', () => this.check()),
            error: make('p', { class: 'leadq-error', id: `${id}-error`,
                role: 'alert' }),
            wait: make('p', { class: 'leadq-wait', 'aria-hidden': 'true' }),
            spoken: make('p', { class: 'leadq-spoken', role: 'status',
                'aria-live': 'polite' }),
            again: make('div', { class: 'leadq-again' }),
            change: this.button('change', () => this.change()),
            done: make('p', { class: 'leadq-done', tabindex: '-1' }),
            verification: make('input', { type: 'hidden',
                name: 'verification' }),
        };

        p.step = make('div', { class: 'leadq-step' }, p.label,
            make('div', { class: 'leadq-row' }, p.code, p.check));
        p.box = make('div', { class: 'leadq-box', role: 'group' }, p.told,
            p.step, p.error, p.get, p.wait, p.spoken, p.again, p.done,
            p.change, p.verification);
        this.parts = p;
        this.append(p.box);
    }

    /* --- showing ---------------------------------------------------------- */

    say(word, ...values) {
        const of = this.closest('[lang]');

        return say(of && of.lang === 'en' ? 'en' : 'ru', word, values);
    }

    show() {
        const p = this.parts;
        const is = this.is || {};
        const stage = this.stage;

        p.box.setAttribute('aria-label', this.say('group'));
        this.dataset.stage = stage;
        p.get.hidden = stage === 'code' || stage === 'verified';
        p.get.textContent = this.say(stage === 'closed' ? 'new' : 'get');
        p.step.hidden = stage !== 'code';
        p.change.hidden = stage === 'idle';
        p.change.textContent = this.say('change');
        p.check.textContent = this.say('check');
        p.verification.value = this.verification;
        this.phone.readOnly = stage !== 'idle';
        put(p.told, stage === 'code' ? this.tale() : '');
        put(p.done, stage === 'verified' ? this.say('done',
            whole(is.phone_masked)) : '');
        put(p.error, this.error ? this.say(...this.error) : '');
        if (stage === 'code') {
            p.label.textContent = this.say(is.channel === 'call'
                ? 'label-call' : 'label', is.code_length);
        }
        this.offer();
        this.tick();
    }

    tale() {
        const is = this.is;
        const on = is.state === 'queued' || is.state === 'sending';

        if (is.state === 'failed') {
            return '';
        }
        return this.say(on && is.channel !== 'call' ? 'sending'
            : `told-${is.channel}`, whole(is.phone_masked), is.code_length);
    }

    /* The ways to one more code, once it is time. */
    offer() {
        const again = this.parts.again;
        const may = this.stage === 'code' && !this.spent
            && this.left('resend') === 0;
        const others = (this.getAttribute('channels') || '').split(/\s+/)
            .filter((way) => way && may && way !== this.is.channel);
        const ways = may ? [this.is.channel, ...others] : [];
        const old = [...again.children].map((button) => button.dataset.way);

        if (ways.join() !== old.join()) {
            again.replaceChildren(...ways.map((way) => {
                const button = this.button('more', () => this.resend(way));

                button.dataset.way = way;
                return button;
            }));
        }
        [...again.children].forEach((button, i) => put(button,
            this.say(`${i ? 'other' : 'again'}-${ways[i]}`)));
    }

    fail(error) {
        this.error = error;
        this.show();
    }

    /* Says what is wrong with a field, and goes there. */
    blame(field, ...error) {
        this.fail(error);
        field.setAttribute('aria-invalid', 'true');
        field.setAttribute('aria-errormessage', this.parts.error.id);
        field.focus();
    }

    fill(digits) {
        this.before = digits;
        if (this.parts.code.value !== digits) {
            this.parts.code.value = digits;
        }
    }

    setBusy(on) {
        this.busy = on;
        this.parts.box.setAttribute('aria-busy', on);
        this.parts.box.querySelectorAll('button').forEach((button) => {
            button.setAttribute('aria-disabled', on);
        });
    }

    /* --- time ------------------------------------------------------------- */

    /* Seconds until resend or expires. */
    left(what) {
        return Math.max(0, Math.ceil((this.until[what] - Date.now()) / 1000));
    }

    /* Each second for the eye, every ten for the ear. */
    tick() {
        const p = this.parts;
        const s = this.left('resend');
        const may = this.stage === 'code' && !this.spent;
        const text = may && s > 0 ? this.say('wait', `${Math.floor(s / 60)}:`
            + String(s % 60).padStart(2, '0')) : '';

        put(p.wait, text);
        if (text === '') {
            put(p.spoken, may ? this.say('can') : '');

        } else if (s % SAY_EVERY_S === 0 || p.spoken.dataset.said !== 'wait') {
            put(p.spoken, text);
        }
        p.spoken.dataset.said = text ? 'wait' : '';
    }
}
