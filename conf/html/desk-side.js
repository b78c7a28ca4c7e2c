/*
 * Beside the visitor: the advisor's last results, and what a supervisor does:
 * takes sales by codes back, answers reports of trouble.
 */
import { ask, send } from './ask.js';
import { $, button, fail, faultOf, hidden, tell }
    from './desk-parts.js';
import { both, moment } from './desk-words.js';
import { make, whole } from './verify-view.js';

const TEXT_MAX = 1000;
const REASON_MAX = 200;

function item(...nodes) {
    return make('li', {}, ...nodes);
}

/* The elements of a list, or what there is to say when it is empty. */
function fill(list, items, word) {
    list.replaceChildren(...items.length > 0 ? items
        : [make('li', { class: 'soft' }, both(word))]);
}

/* A text that is asked for below an element, and what is done with it. */
function question(id, word, max, empty, act, ...buttons) {
    const input = make('textarea', { id, rows: 2, maxlength: max,
        autocomplete: 'off', 'aria-describedby': `${id}-problem` });
    const problem = make('p', { class: 'problem', id: `${id}-problem`,
        role: 'alert' });
    const box = make('div', { class: 'question' },
        make('div', { class: 'field' }, make('label', { for: id },
            both(word)), input, problem));
    const [first, ...others] = buttons;

    box.append(make('div', { class: 'acts' },
        button('button', async () => {
            const text = input.value.trim().replace(/\s+/g, ' ');

            fail(input, problem, text ? null : empty);
            if (text) {
                const word_of = await act(text);

                if (word_of) {
                    tell(problem, word_of);
                }
            }
        }, first), ...others));
    return box;
}

/* What was asked, for whoever searches the log. */
export function requestsOf(ticket) {
    return ticket.requests.length === 0 ? [] : [make('details', {},
        make('summary', {}, both('requests')),
        make('ul', { class: 'ids' }, ...ticket.requests.map((id) =>
            make('li', {}, make('code', {}, id)))))];
}

export function ticketHead(ticket) {
    return [make('div', { class: 'line' },
        make('b', {}, both('ticket', ticket.number)),
        make('span', { class: `tag ${ticket.state}` },
            both('state', ticket.state)),
        make('time', {}, moment(ticket.at))),
    make('p', { class: 'said' }, ticket.text)];
}

export function answered(ticket) {
    return ticket.answer ? [make('p', { class: 'answer' },
        make('b', {}, ticket.assignee ? `${ticket.assignee.title}: ` : ''),
        ticket.answer)] : [];
}

export class Side {
    /* load: asks for everything anew. */
    constructor(load) {
        this.load = load;
        this.shown = false;
    }

    show(me) {
        const sells = me.point && me.advisor.role !== 'brand';

        this.point = me.point;
        $('today').hidden = !sells;
        fill($('last'), me.last.map((visit) => this.result(visit)), 'none');
        if (!this.shown) {
            this.shown = true;
            $('sales').hidden = me.advisor.role !== 'supervisor';
            $('tickets').hidden = me.advisor.role === 'advisor';
        }
        this.refresh();
    }

    /* What somebody writes at this moment is not taken from under his hands. */
    refresh() {
        if (!$('sales').hidden && !$('sales').querySelector('textarea')) {
            this.loadSales();
        }
        if (!$('tickets').hidden
            && ![...$('tickets').querySelectorAll('textarea')].some(
                (input) => input.value || input === document.activeElement))
        {
            this.loadTickets();
        }
    }

    result(visit) {
        return item(make('div', { class: 'line' },
            make('b', { class: visit.outcome },
                both('outcome', visit.outcome)),
            make('time', {}, moment(visit.at))),
        make('p', { class: 'soft' }, visit.phone_masked
            ? whole(visit.phone_masked) : both('no-number')));
    }

    /* --- sales ------------------------------------------------------------ */

    async loadSales() {
        const reply = await ask('GET', '/v1/desk/redemptions');

        tell($('sales-problem'), reply.status === 200 ? null
            : faultOf(reply));
        if (reply.status === 200) {
            fill($('sales-list'), reply.body.redemptions.map((sale) =>
                this.sale(sale)), 'no-sales');
        }
    }

    sale(sale) {
        const element = item(make('div', { class: 'line' },
            make('b', {}, sale.code),
            make('span', {}, sale.discount),
            make('time', {}, moment(sale.at))),
        make('p', { class: 'soft' }, [sale.phone_masked
            && whole(sale.phone_masked), sale.advisor.title,
        !this.point && sale.point].filter(Boolean).join(' · ')));

        if (sale.state === 'rolled_back') {
            element.append(make('p', { class: 'soft' },
                both('taken-back', sale.reason)));

        } else {
            const act = button('quiet', () => this.askWhy(element, act, sale),
                both('roll-back'), hidden(both('roll-back-of', sale.code)));

            element.append(act);
        }
        return element;
    }

    askWhy(element, act, sale) {
        const box = question(`why-${sale.id}`, 'roll-back-why', REASON_MAX,
            'roll-back-empty', async (reason) => {
                const reply = await send(`/v1/promo/redemptions/${
                    sale.id}/rollback`, { reason });

                if (reply.status !== 200) {
                    return faultOf(reply);
                }
                await this.loadSales();
                $('sales-title').focus();
                return null;
            }, both('roll-back-now'), button('quiet', () => {
                box.replaceWith(act);
                act.focus();
            }, both('keep')));

        act.replaceWith(box);
        box.querySelector('textarea').focus();
    }

    /* --- trouble ---------------------------------------------------------- */

    async loadTickets() {
        const reply = await ask('GET', '/v1/desk/tickets');

        tell($('tickets-problem'), reply.status === 200 ? null
            : faultOf(reply));
        if (reply.status === 200) {
            fill($('tickets-list'), reply.body.tickets.map((ticket) =>
                this.ticket(ticket)), 'no-tickets');
        }
    }

    ticket(ticket) {
        const { advisor, point } = ticket;
        const element = item(...ticketHead(ticket),
            make('p', { class: 'soft' }, [advisor.title,
                !this.point && point].filter(Boolean).join(' · ')), ...requestsOf(ticket),
            ...answered(ticket));

        if (ticket.state !== 'answered') {
            const take = button('quiet', () => this.change(ticket, {}),
                both('take'), hidden(' ', both('ticket', ticket.number)));

            element.append(question(`answer-${ticket.id}`, 'answer',
                TEXT_MAX, 'answer-empty',
                (answer) => this.change(ticket, { answer }),
                both('answer-send'),
                ...ticket.state === 'open' ? [take] : []));
        }
        return element;
    }

    async change(ticket, what) {
        const reply = await send(`/v1/desk/tickets/${ticket.id}`, what);
        const word = reply.status === 200 ? null : faultOf(reply);

        tell($('tickets-problem'), word);
        if (!word) {
            await this.loadTickets();
            $('tickets-title').focus();
        }
        return word;
    }
}

