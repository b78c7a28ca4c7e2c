/*
 * The page of an advisor: a visitor from the question of age to what became
 * of the visit.
 *
 *   age ──▶ consents, answers ──▶ number ──▶ settled ──▶ over
 *    │                              (proved, or why not)   ▲
 *    └── not proved: nothing is asked ─────────────────────┘
 *
 * Three blocks: the phone (here, with <leadq-verify>), the code
 * (desk-code.js), the outcome (here).  Beside them the day and what a
 * supervisor does (desk-side.js), and help (desk-help.js).  Nothing is kept
 * in the browser: after a reload the server knows which visit is open.
 */
import './verify.js';
import { ask, problemOf, send } from './ask.js';
import { Code } from './desk-code.js';
import { Help } from './desk-help.js';
import { $, answerOf, blame, button, during, faultOf, mark, onSubmit,
    questionOf, tell, valueOf } from './desk-parts.js';
import { Side } from './desk-side.js';
import { both, spans } from './desk-words.js';
import { make, whole } from './verify-view.js';

const LOOK_MS = 60000;

const verify = document.querySelector('leadq-verify');
const field = (name) => document.querySelector(`[data-field="${name}"]`);
const side = new Side(load);
const help = new Help(load);
const code = new Code(() => {
    tell($('end-problem'), null);
    show();
});
let me = null;
let visit = nobody();

/* refusal: why no number is proved; masked: the one that is. */
function nobody() {
    return { id: '', pd: true, verification: '', masked: '', ads: false,
        refusal: '' };
}

/* --- who works here ------------------------------------------------------- */

async function load() {
    const reply = await ask('GET', '/v1/desk/me');

    if (reply.status !== 200) {
        lost(reply);
        return;
    }
    const first = me === null;

    me = reply.body;
    if (first) {
        begin();
    }
    greet();
    side.show(me);
    help.show(me);
}

/* Without an answer at the start there is no page; later it goes on. */
function lost(reply) {
    if (me === null || reply.status === 401) {
        $('status').replaceChildren(both(faultOf(reply)), ' ',
            button('quiet', load, both('again')));
    }
}

function greet() {
    const { advisor, point } = me;

    if (point) {
        $('point').textContent = point.title;

    } else {
        tell($('point'), 'no-point');
    }
    $('who').replaceChildren(make('span', {}, `${advisor.title}, `,
        both('role', advisor.role)), make('span', {}, point
        ? both(point.open ? 'hours' : 'closed', point.opens, point.closes)
        : ''));
}

function begin() {
    const sells = me.point && me.advisor.role !== 'brand';

    tell($('status'), null);
    $('trouble').hidden = false;
    $('flow').hidden = !sells;
    document.querySelector('.columns').classList.toggle('single', !sells);
    $('questions').replaceChildren(...me.questions.map(questionOf));
    for (const name of ['pd', 'ads']) {
        const words = me.consents && me.consents[name];

        field(name).querySelector('details').hidden = !words;
        $(`${name}-words`).replaceChildren(words ? spans(words) : '');
    }
    $('number').elements.text_version.value = me.consents
        ? me.consents.version : '';
    if (me.visit) {
        visit.id = me.visit;
        tell($('status'), 'resumed');
    }
    show();
}

/* --- what is shown -------------------------------------------------------- */

function isSettled() {
    return Boolean(visit.verification || visit.refusal);
}

function show() {
    const settled = isSettled();

    $('visitor').hidden = visit.id !== '';
    $('number').hidden = visit.id === '' || settled;
    $('number').elements.visit.value = visit.id;
    $('prove-now').hidden = !visit.refusal || !visit.pd;
    if (visit.verification) {
        tell($('phone-sum'), 'proved', whole(visit.masked));

    } else {
        tell($('phone-sum'), visit.refusal && `refused-${visit.refusal}`);
    }
    $('phone-block').classList.toggle('settled', settled);
    $('phone-sum').classList.toggle('fine', visit.verification !== '');
    $('end-block').classList.toggle('ready', settled);
    tell($('end-wait'), visit.id === '' ? 'first-visitor'
        : settled ? null : 'first-number');
    $('end').hidden = visit.id === '';
    showOutcomes();
}

/* What follows from each outcome; with a sale there is but one. */
function showOutcomes() {
    const mails = visit.verification !== '' && visit.ads;

    tell($('follows-test'), mails ? 'then-trial' : 'then-nothing');
    tell($('follows-purchase'), mails ? 'then-referral' : 'then-nothing');
    tell($('follows-left'), 'then-left');
    for (const input of $('end').elements.outcome) {
        input.disabled = code.redemption !== ''
            && input.value !== 'purchase';
        if (code.redemption && input.value === 'purchase') {
            input.checked = true;
        }
    }
}

/* The questions appear with the consent: without it nothing is asked. */
function showAsked() {
    const age = valueOf(field('age'));

    $('underage').hidden = age !== 'unproved';
    $('asked').hidden = age === '' || age === 'unproved';
    $('questions').hidden = valueOf(field('pd')) !== 'yes';
}

/* --- the visitor ---------------------------------------------------------- */

/* Fields of the form that are empty though they must not be. */
function emptyFields() {
    const pd = valueOf(field('pd'));
    const wrong = ['age', 'pd', 'ads'].map(field).filter(
        (box) => valueOf(box) === '').map((box) => [box, 'choose']);

    if (pd === 'yes') {
        for (const question of me.questions.filter((q) => q.required)) {
            const box = field(`answer-${question.name}`);

            if (valueOf(box) === '') {
                wrong.push([box, box.tagName === 'FIELDSET' ? 'choose'
                    : 'write']);
            }
        }
    }
    return wrong;
}

function answers() {
    return Object.fromEntries(me.questions.map((question) =>
        [question.name, answerOf(question,
            field(`answer-${question.name}`))])
        .filter(([, answer]) => answer !== null));
}

async function open() {
    const problem = $('visitor-problem');
    const agreed = valueOf(field('pd')) === 'yes';

    if (!blame(emptyFields())) {
        tell(problem, 'fill-in');
        return;
    }
    tell(problem, null);
    const reply = await send('/v1/desk/visits', {
        age: valueOf(field('age')), consent_pd: agreed,
        consent_ads: valueOf(field('ads')) === 'yes',
        lang: document.documentElement.lang,
        ...me.consents ? { text_version: me.consents.version } : {},
        ...agreed ? { answers: answers() } : {} });

    if (reply.status === 201) {
        visit = { ...nobody(), id: reply.body.id, pd: agreed,
            refusal: agreed ? '' : 'phone' };
        show();
        (agreed ? $('phone') : $('end-title')).focus();

    } else if (problemOf(reply) === 'validation') {
        invalid(reply.body.errors || []);

    } else {
        tell(problem, faultOf(reply));
    }
}

/* What the server says of single answers. */
function invalid(errors) {
    const known = { consent_pd: 'pd', consent_ads: 'ads', age: 'age' };
    const wrong = errors.map(({ field: name, code: why }) =>
        [field(known[name] || name.replace('answers.', 'answer-')),
            why === 'required' ? 'write' : 'bad-value'])
        .filter(([box]) => box);

    blame(wrong);
    tell($('visitor-problem'), wrong.length > 0 ? 'fill-in' : 'odd');
}

async function turnAway() {
    const reply = await send('/v1/desk/visits', { age: 'unproved' });

    if (reply.status === 201) {
        over('done-underage', 'tell-underage');

    } else {
        tell($('visitor-problem'), faultOf(reply));
    }
}

/* --- the number ----------------------------------------------------------- */

/* The number that was typed goes; nothing of it is sent. */
async function refuse(why) {
    await verify.reset();
    $('number').reset();
    visit.refusal = why;
    show();
    $('end-title').focus();
}

function proved(event) {
    visit.verification = event.detail.id;
    visit.masked = verify.is.phone_masked;
    visit.ads = $('consent_ads').checked;
    code.setProof(visit.verification, $('phone').value);
    show();
    $('code-title').focus();
}

function unproved() {
    visit.verification = '';
    code.setProof('', '');
    show();
}

/* --- the outcome ---------------------------------------------------------- */

function proof(refusal) {
    if (refusal) {
        return { refusal };
    }
    if (code.redemption) {
        return { redemption: code.redemption };
    }
    if (visit.verification) {
        return { verification: visit.verification };
    }
    return visit.refusal ? { refusal: visit.refusal } : {};
}

/* What stands in the way of this end, as a word. */
function hindrance(outcome) {
    if (outcome === '') {
        return 'choose-outcome';
    }
    if (outcome !== 'left' && !isSettled()) {
        return 'first-number';
    }
    return outcome === 'purchase' && code.reservation ? 'redeem-first' : null;
}

async function finish(refusal) {
    const outcome = valueOf(field('outcome'));
    const word = hindrance(outcome);

    tell($('end-problem'), word);
    mark(field('outcome'), null);
    if (word || code.reservation && !await code.release()) {
        return;
    }
    const reply = await send(`/v1/desk/visits/${visit.id}/end`, { outcome,
        ...proof(refusal),
        ...code.named ? { code: code.named } : {} });

    if (reply.status === 200) {
        const { follows, verified } = reply.body;

        over(`done-${outcome}`, verified && follows ? `tell-${follows}`
            : 'tell-nothing');

    } else {
        unfinished(faultOf(reply));
    }
}

/* An end without the number, in the place of the one that was refused. */
function offerRepeat(on) {
    $('finish').hidden = on;
    $('finish-repeat').hidden = !on;
}

function unfinished(word) {
    tell($('end-problem'), word);
    offerRepeat(word === 'phone-used');
    if (/^verification-/.test(word)) {
        verify.reset();
    }
}

/* --- the next one --------------------------------------------------------- */

function over(title, text) {
    tell($('done-title'), title);
    tell($('done-text'), text);
    $('done').classList.toggle('bad', title === 'done-underage');
    $('flow').hidden = true;
    $('done').hidden = false;
    $('done-title').focus();
    clear();
    load();
}

/* Nothing of a visitor stays on the screen. */
function clear() {
    visit = nobody();
    verify.reset();
    for (const form of ['visitor', 'number', 'end']) {
        $(form).reset();
    }
    document.querySelectorAll('#flow [data-field]').forEach((box) =>
        mark(box, null));
    for (const id of ['visitor-problem', 'end-problem', 'status']) {
        tell($(id), null);
    }
    document.querySelectorAll('#flow details').forEach((details) => {
        details.open = false;
    });
    offerRepeat(false);
    code.setProof('', '');
    code.reset();
    showAsked();
    show();
}

function next() {
    $('done').hidden = true;
    $('flow').hidden = false;
    $('phone-title').focus();
}

/* --- the page ------------------------------------------------------------- */

function press(id, work) {
    $(id).addEventListener('click', () => during($(id), work));
}

function watch() {
    $('offline').hidden = navigator.onLine;
}

/* As it is typed, not as the field is left: nothing moves below a finger. */
$('visitor').addEventListener('input', (event) => {
    const box = event.target.closest('[data-field]');

    mark(box, null);
    showAsked();
});
$('end').addEventListener('input', () => {
    tell($('end-problem'), null);
    offerRepeat(false);
});
onSubmit($('visitor'), $('open'), open);
$('phone').addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
        event.preventDefault();
        verify.start();
    }
});
onSubmit($('end'), $('finish'), () => finish(''));
press('turn-away', turnAway);
press('finish-repeat', () => finish('repeat'));
press('next', next);
press('prove-now', () => {
    visit.refusal = '';
    show();
    $('phone').focus();
});
document.querySelectorAll('[data-refusal]').forEach((element) =>
    element.addEventListener('click', () => during(element,
        () => refuse(element.dataset.refusal))));
verify.addEventListener('leadq-verified', proved);
verify.addEventListener('leadq-unverified', unproved);
window.addEventListener('online', () => {
    watch();
    load();
});
window.addEventListener('offline', watch);
setInterval(() => document.hidden || load(), LOOK_MS);
watch();
tell($('status'), 'loading');
load();
