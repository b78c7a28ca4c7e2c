/*
 * What the blocks of the desk's page share: texts, work under way, fields that
 * are empty, refusals in words.
 */
import { problemOf } from './ask.js';
import { both, has, spans } from './desk-words.js';
import { make } from './verify-view.js';

let working = false;

export function $(id) {
    return document.getElementById(id);
}

/* A word of desk-words.js, or nothing, in place of what was there. */
export function tell(element, word, ...values) {
    element.replaceChildren(word ? both(word, ...values) : '');
}

/* The word for why something was refused. */
export function faultOf(reply) {
    const problem = problemOf(reply).replace(/^promo-/, '');

    if (reply.status === 0) {
        return 'offline';
    }
    if (reply.status === 401) {
        return 'unauthorized';
    }
    if (has(problem)) {
        return problem;
    }
    if (reply.status === 429) {
        return 'busy';
    }
    return reply.status >= 500 ? 'away' : 'odd';
}

/* One thing at a time: what is pressed meanwhile does nothing. */
export async function during(button, work) {
    if (working) {
        return;
    }
    working = true;
    button.setAttribute('aria-disabled', 'true');
    button.classList.add('working');
    try {
        await work();
    } finally {
        working = false;
        button.removeAttribute('aria-disabled');
        button.classList.remove('working');
    }
}

/* A form's own submit, before leadq.js hears of it. */
export function onSubmit(form, button, work) {
    form.addEventListener('submit', (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
        during(button, work);
    }, true);
}

export function button(name, act, ...nodes) {
    const element = make('button', { type: 'button', class: name }, ...nodes);

    element.addEventListener('click', () => during(element,
        () => act(element)));
    return element;
}

export function hidden(...nodes) {
    return make('span', { class: 'leadq-spoken' }, ...nodes);
}

/* --- fields: elements with data-field, around their inputs ---------------- */

export function inputsOf(box) {
    return [...box.querySelectorAll('input, textarea')];
}

/* What was chosen or typed; '' when nothing was. */
export function valueOf(box) {
    const [first] = inputsOf(box);
    const chosen = box.querySelector(':checked');

    return first.type === 'radio' ? (chosen ? chosen.value : '')
        : first.value.trim();
}

/* Says what is wrong with a field, or no more, and describes it by that. */
export function mark(box, word) {
    const id = `${box.dataset.field}-wrong`;
    const old = $(id);

    if (old) {
        old.remove();
    }
    const [first] = inputsOf(box);
    const described = first.type === 'radio' ? box : first;

    described.removeAttribute('aria-describedby');
    inputsOf(box).forEach((input) => input.removeAttribute('aria-invalid'));
    box.classList.toggle('wrong', Boolean(word));
    if (word) {
        box.append(make('p', { class: 'problem', id }, both(word)));
        described.setAttribute('aria-describedby', id);
        inputsOf(box).filter((input) => input.type !== 'radio').forEach(
            (input) => input.setAttribute('aria-invalid', 'true'));
    }
}

/* Marks the fields that are wrong and goes to the first; [[box, word]]. */
export function blame(wrong) {
    wrong.forEach(([box, word]) => mark(box, word));
    if (wrong.length > 0) {
        inputsOf(wrong[0][0])[0].focus();
    }
    return wrong.length === 0;
}

/* What is told of a field alone, below it. */
export function fail(input, problem, word) {
    tell(problem, word);
    if (word) {
        input.setAttribute('aria-invalid', 'true');
        input.focus();

    } else {
        input.removeAttribute('aria-invalid');
    }
}

/* --- the questionnaire ---------------------------------------------------- */

function pick(name, value, ...nodes) {
    return make('label', { class: 'pick' }, make('input', { type: 'radio',
        name, value }), make('span', {}, make('b', {}, ...nodes)));
}

function choices(question, name) {
    return question.type === 'bool'
        ? [pick(name, 'true', both('yes')), pick(name, 'false', both('no'))]
        : question.choices.map((choice) => pick(name, choice.value,
            spans(choice.title)));
}

function line(question, name) {
    const kinds = {
        text: { type: 'text', maxlength: 500 },
        int: { type: 'text', inputmode: 'numeric', pattern: '[0-9]*',
            maxlength: 9 },
        date: { type: 'date' },
    };

    return make('input', { id: name, name, autocomplete: 'off',
        ...kinds[question.type] });
}

/* The element of a question, as the server has told it. */
export function questionOf(question) {
    const name = `answer-${question.name}`;
    const title = [spans(question.title)];

    if (!question.required) {
        title.push(' ', make('span', { class: 'optional' },
            both('optional')));
    }
    const isChoice = ['choice', 'bool'].includes(question.type);
    const box = isChoice
        ? make('fieldset', { class: 'choice two' },
            make('legend', {}, ...title), ...choices(question, name))
        : make('div', { class: 'field' },
            make('label', { for: name }, ...title), line(question, name));

    box.dataset.field = name;
    return box;
}

/* The answer in the type that the server wants; null: there is none. */
export function answerOf(question, box) {
    const value = valueOf(box);

    if (value === '') {
        return null;
    }
    return { bool: () => value === 'true', int: () => Number(value) }[
        question.type]?.() ?? value;
}
