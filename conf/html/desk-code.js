/*
 * The block of codes: is one good, a use of it for the customer at the desk,
 * sold or free again.
 *
 *   none ──▶ good ──▶ reserved ──▶ redeemed
 *     ▲       │          │ released, or its time is over
 *     └───────┴──────────┘
 */
import { ask, problemOf, send } from './ask.js';
import { $, button, fail, faultOf, onSubmit } from './desk-parts.js';
import { both, day, time } from './desk-words.js';
import { make } from './verify-view.js';

export class Code {
    /* changed: called when a reservation or a sale begins or ends. */
    constructor(changed) {
        this.changed = changed;
        this.input = $('code');
        this.problem = $('code-problem');
        this.verification = '';
        this.phone = '';
        onSubmit($('promo'), $('check'), () => this.check());
        this.input.addEventListener('input', () => this.forget());
        this.reset();
    }

    reset() {
        this.input.value = '';
        this.forget();
    }

    /* Another code: what was known is of no use. */
    forget() {
        clearTimeout(this.timer);
        this.good = null;
        this.reservation = null;
        this.redemption = '';
        fail(this.input, this.problem, null);
        this.say();
        this.show();
    }

    /* The number that was proved, or ''. */
    setProof(verification, phone) {
        this.verification = verification;
        this.phone = phone;
        this.show();
    }

    /* A friend's code that was named and not redeemed, or ''. */
    get named() {
        return this.good && this.good.kind === 'referral' && !this.redemption
            ? this.input.value.trim() : '';
    }

    say(kind, ...nodes) {
        $('code-told').replaceChildren(...nodes.length > 0
            ? [make('div', { class: `notice ${kind}` }, ...nodes)] : []);
    }

    show() {
        const held = this.reservation || this.redemption;

        this.input.readOnly = Boolean(held);
        $('check').hidden = Boolean(held);
        $('code-acts').replaceChildren(...this.acts());
    }

    acts() {
        if (this.redemption || !this.good) {
            return [];
        }
        if (this.reservation) {
            this.receipt = make('input', { id: 'receipt', type: 'text',
                maxlength: 100, autocomplete: 'off' });
            return [
                make('div', { class: 'field' },
                    make('label', { for: 'receipt' }, both('receipt'), ' ',
                        make('span', { class: 'optional' },
                            both('receipt-optional'))), this.receipt),
                button('button', () => this.redeem(), both('redeem')),
                button('quiet', () => this.release(), both('release')),
            ];
        }
        return this.verification
            ? [button('button', () => this.reserve(), both('reserve')),
                make('p', { class: 'hint' }, both('reserve-why'))]
            : [make('p', { class: 'hint' }, both('needs-phone'))];
    }

    /* --- what the advisor does -------------------------------------------- */

    async check() {
        const code = this.input.value.trim();

        if (!code) {
            fail(this.input, this.problem, 'code-empty');
            return;
        }
        this.forget();
        const reply = await ask('POST', '/v1/promo/checks', this.verification
            ? { code, phone: this.phone } : { code });

        if (reply.status === 200 && reply.body.valid) {
            this.good = reply.body;
            this.sayGood();
            this.show();

        } else if (reply.status === 200) {
            this.say('bad', both(reply.body.reason));

        } else if (problemOf(reply) === 'validation') {
            fail(this.input, this.problem, 'code-typo');

        } else {
            this.say('bad', both(faultOf(reply)));
        }
    }

    sayGood() {
        const { discount, programme } = this.good;
        const more = [both('uses-left', this.good.uses_left)];

        if (this.good.expires_at) {
            more.push(' · ', both('until', day(this.good.expires_at)));
        }
        this.say('fine', make('b', {}, both('code-good')), make('span',
            {}, `${programme}: ${discount}`), make('small', {}, ...more));
    }

    async reserve() {
        const reply = await send('/v1/promo/reservations',
            { code: this.input.value.trim(),
                verification: this.verification });

        if (reply.status !== 201) {
            this.refused(reply);
            return;
        }
        this.reservation = reply.body;
        const until = Date.parse(reply.body.reserved_until);

        this.say('fine', make('b', {}, both('reserved', time(until))),
            make('span', {}, `${reply.body.programme}: ${
                reply.body.discount}`));
        this.timer = setTimeout(() => {
            this.end();
            this.say('bad', both('reservation-closed'));
        }, Math.max(0, until - Date.now()));
        this.show();
        this.changed();
        this.receipt.focus();
    }

    async redeem() {
        const receipt = this.receipt.value.trim();
        const reply = await send('/v1/promo/redemptions',
            { reservation: this.reservation.id,
                ...receipt ? { receipt } : {} });

        if (reply.status !== 201) {
            this.refused(reply);
            return;
        }
        clearTimeout(this.timer);
        this.redemption = reply.body.id;
        this.reservation = null;
        this.say('fine', make('b', {}, both('redeemed',
            reply.body.discount)));
        this.show();
        this.changed();
        $('end-title').focus();
    }

    /* True once the use is free for others. */
    async release() {
        const reply = await ask('DELETE', `/v1/promo/reservations/${
            this.reservation.id}`);

        if (reply.status !== 204 && reply.status !== 410) {
            this.refused(reply);
            return false;
        }
        this.end();
        this.say('', both(reply.status === 204 ? 'released'
            : 'reservation-closed'));
        return true;
    }

    /* No reservation any more; the code is still the one that was named. */
    end() {
        clearTimeout(this.timer);
        this.reservation = null;
        this.show();
        this.changed();
        this.input.focus();
    }

    refused(reply) {
        const word = faultOf(reply);

        if (word === 'reservation-closed') {
            this.end();
        }
        this.say('bad', both(word));
    }
}

