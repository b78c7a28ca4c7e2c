/*
 * Help for an advisor: what went wrong goes to the house with the ids of the
 * last requests, and the answer comes back here.
 */
import { ask, asked, send } from './ask.js';
import { $, fail, faultOf, onSubmit, tell } from './desk-parts.js';
import { answered, ticketHead } from './desk-side.js';
import { both } from './desk-words.js';
import { make } from './verify-view.js';

export class Help {
    /* load: asks for everything anew, the answers among it. */
    constructor(load) {
        this.load = load;
        $('trouble').addEventListener('click', () => this.open());
        $('help-close').addEventListener('click', () => $('help').close());
        $('help').addEventListener('close', () => this.load());
        onSubmit($('report'), $('report-send'), () => this.report());
    }

    /* How many answers wait. */
    show(me) {
        $('unread').hidden = me.answers_unread === 0;
        $('unread').replaceChildren(String(me.answers_unread),
            make('span', { class: 'leadq-spoken' },
                both('unread', me.answers_unread)));
    }

    open() {
        $('report-told').hidden = true;
        fail($('report-text'), $('report-problem'), null);
        $('help').showModal();
        $('report-text').focus();
        this.list();
    }

    async report() {
        const input = $('report-text');
        const text = input.value.trim().replace(/\s+/g, ' ');

        fail(input, $('report-problem'), text ? null : 'report-empty');
        if (!text) {
            return;
        }
        const reply = await send('/v1/desk/tickets', { text,
            page: location.pathname + location.hash, requests: this.ids() });

        if (reply.status !== 201) {
            tell($('report-problem'), faultOf(reply));
            return;
        }
        input.value = '';
        this.sent = null;
        tell($('report-told'), 'reported', reply.body.number);
        $('report-told').hidden = false;
        await this.list();
    }

    /* The same ids for a repeat, whatever was asked since. */
    ids() {
        this.sent = this.sent || [...asked];
        return this.sent;
    }

    async list() {
        const reply = await ask('GET', '/v1/desk/tickets');
        const mine = reply.status === 200
            ? reply.body.tickets.filter((ticket) => ticket.mine) : [];

        $('mine').replaceChildren(...mine.length > 0
            ? mine.map((ticket) => make('li', ticket.unread
                ? { class: 'fresh' } : {}, ...ticketHead(ticket),
            ...answered(ticket)))
            : [make('li', { class: 'soft' }, reply.status === 200
                ? both('no-tickets') : both(faultOf(reply)))]);
    }
}
