/*
 * What the page of the desk says beyond its markup, in Russian and English:
 * a pair of texts, or of functions of the values that belong into them.
 * both() gives both; leadq.css shows the one of the page's language.
 */
import { make } from './verify-view.js';
import { words as verifyWords } from './verify-words.js';

/* The widget speaks to an advisor here, not to whose phone it is. */
Object.assign(verifyWords.ru, {
    get: 'Выслать код',
    new: 'Выслать новый код',
    check: 'Проверить код',
    change: 'Другой номер',
    label: 'Код, который назвал посетитель',
    'label-call': (n) => `Последние ${n} цифры номера, с которого позвонили`,
    'told-sms': (phone) => `SMS с кодом ушла на ${phone}. Попросите назвать `
        + 'код.',
    'told-call': (phone, n) => `Ждём звонок на ${phone}: код\u00a0— `
        + `последние ${n} цифры номера. Отвечать не нужно.`,
    'told-messenger': (phone) => `Код ушёл в мессенджер, номер ${phone}.`,
    'told-push': () => 'Код ушёл в приложение посетителя.',
    consent: 'Сначала согласие на обработку данных. Без него номер не '
        + 'подтверждаем: выберите ниже, почему.',
    phone: 'Введите номер мобильного целиком, например '
        + '+7\u00a0912\u00a0345-67-89.',
});
Object.assign(verifyWords.en, {
    get: 'Send a code',
    new: 'Send a new code',
    check: 'Check the code',
    change: 'Another number',
    label: 'The code that the visitor tells',
    'label-call': (n) => `Last ${n} digits of the number that called`,
    'told-sms': (phone) => `An SMS with a code has gone to ${phone}. Ask for `
        + 'the code.',
    'told-call': (phone, n) => `A call goes to ${phone}: its last ${n} digits `
        + 'are the code. It need not be answered.',
    'told-messenger': (phone) => `The code has gone to the messenger of ${
        phone}.`,
    'told-push': () => 'The code has gone to the visitor’s app.',
    consent: 'First the consent to the processing of data. Without it the '
        + 'number is not proved: choose below why.',
    phone: 'Type the whole mobile number, for example '
        + '+7\u00a0912\u00a0345-67-89.',
});

const words = {
    /* --- who, where --- */
    role: [{ advisor: 'консультант', supervisor: 'супервайзер',
        brand: 'бренд' }, { advisor: 'advisor', supervisor: 'supervisor',
        brand: 'brand' }],
    hours: [(from, to) => `открыто ${from}–${to}`,
        (from, to) => `open ${from}–${to}`],
    closed: ['сейчас закрыто', 'closed now'],
    'no-point': ['Все точки', 'All points'],
    loading: ['Загружаем…', 'Loading…'],
    again: ['Повторить', 'Try again'],
    resumed: ['Визит был открыт до перезагрузки: продолжайте с телефона или '
        + 'закончите его.', 'This visit was open before the page was '
        + 'reloaded: go on with the phone, or end it.'],

    /* --- the visitor --- */
    yes: ['Да', 'Yes'],
    no: ['Нет', 'No'],
    optional: ['— если ответит', '— if they answer'],
    'fill-in': ['Заполните отмеченное: пока что-то пусто, ничего не '
        + 'отправляется.', 'Fill in what is marked: nothing is sent while '
        + 'something is empty.'],
    choose: ['Выберите ответ', 'Choose an answer'],
    write: ['Запишите ответ', 'Write down the answer'],
    'bad-value': ['Такой ответ не подходит', 'This answer does not fit'],
    proved: [(phone) => `Номер ${phone} подтверждён`,
        (phone) => `The number ${phone} is proved`],
    'refused-phone': ['Без номера: посетитель его не даёт',
        'No number: the visitor gives none'],
    'refused-mailings': ['Без номера: посетитель не хочет сообщений',
        'No number: the visitor wants no messages'],
    'refused-code': ['Номер не подтверждён: код не пришёл',
        'The number is not proved: no code came'],
    'refused-repeat': ['Без номера: он был здесь недавно',
        'No number: it was here not long ago'],

    /* --- the code --- */
    'code-empty': ['Введите код', 'Type the code'],
    'code-typo': ['Такого кода не бывает: проверьте каждый знак.',
        'There are no such codes: check each character.'],
    'code-good': ['Код действует', 'The code is good'],
    'uses-left': [(n) => `осталось использований: ${n}`,
        (n) => `uses left: ${n}`],
    until: [(day) => `до ${day}`, (day) => `until ${day}`],
    'needs-phone': ['Чтобы занять скидку, сначала подтвердите номер.',
        'To reserve the discount, prove the number first.'],
    reserve: ['Занять скидку', 'Reserve the discount'],
    'reserve-why': ['На 15 минут она не достанется никому другому.',
        'For 15 minutes nobody else gets it.'],
    reserved: [(time) => `Скидка занята до ${time}`,
        (time) => `The discount is reserved until ${time}`],
    redeem: ['Продано со скидкой', 'Sold with the discount'],
    release: ['Отпустить: не покупает', 'Release: no purchase'],
    receipt: ['Номер чека', 'Number of the receipt'],
    'receipt-optional': ['— если есть', '— if there is one'],
    redeemed: [(discount) => `Скидка отдана: ${discount}`,
        (discount) => `The discount is given: ${discount}`],
    released: ['Скидка снова свободна', 'The discount is free again'],

    /* --- the outcome --- */
    'first-visitor': ['Сначала посетитель: возраст и согласие.',
        'The visitor first: age and consent.'],
    'first-number': ['Подтвердите номер или отметьте, почему без него.',
        'Prove the number, or say why there is none.'],
    'then-referral': ['Завтра придёт SMS с кодом для друзей',
        'Tomorrow an SMS comes with a code for friends'],
    'then-trial': ['Придёт SMS с пробным кодом на покупку',
        'An SMS comes with a trial code for a purchase'],
    'then-nothing': ['Сообщений не будет: нет подтверждённого номера или '
        + 'согласия', 'No messages: there is no proved number, or no '
        + 'consent'],
    'then-left': ['Не пробовал и не купил', 'Neither tried nor bought'],
    'redeem-first': ['Скидка занята: отметьте выше, что она продана, или '
        + 'отпустите её.', 'The discount is reserved: say above that it is '
        + 'sold, or release it.'],
    'choose-outcome': ['Выберите, чем закончился визит.',
        'Choose how the visit ended.'],
    'done-test': ['Готово: попробовал', 'Done: tried'],
    'done-purchase': ['Готово: купил', 'Done: bought'],
    'done-left': ['Готово: ушёл', 'Done: left'],
    'done-underage': ['Разговор закончен', 'The talk is over'],
    'tell-referral': ['Скажите покупателю: завтра придёт SMS с кодом. По нему '
        + 'друзья купят со скидкой.', 'Tell the buyer: tomorrow an SMS comes '
        + 'with a code. With it friends buy at a discount.'],
    'tell-trial': ['Скажите посетителю: придёт SMS с пробным кодом, по нему '
        + 'покупка дешевле.', 'Tell the visitor: an SMS comes with a trial '
        + 'code that makes a purchase cheaper.'],
    'tell-nothing': ['Сообщений не будет.', 'There will be no messages.'],
    'tell-underage': ['О посетителе ничего не записано.',
        'Nothing was written down about the visitor.'],

    /* --- the day --- */
    none: ['Пока никого', 'Nobody yet'],
    outcome: [{ test: 'Попробовал', purchase: 'Купил', left: 'Ушёл' },
        { test: 'Tried', purchase: 'Bought', left: 'Left' }],
    'no-number': ['без номера', 'no number'],

    /* --- help --- */
    unread: [(n) => ` Новых ответов: ${n}`, (n) => ` New answers: ${n}`],
    'report-empty': ['Напишите, что случилось', 'Write what happened'],
    reported: [(n) => `Обращение ${n} принято. Ответ появится здесь.`,
        (n) => `Report ${n} is taken. The answer will appear here.`],
    'no-tickets': ['Обращений нет', 'No reports'],
    state: [{ open: 'ждёт', assigned: 'в работе', answered: 'ответ' },
        { open: 'waits', assigned: 'in work', answered: 'answered' }],
    ticket: [(n) => `Обращение ${n}`, (n) => `Report ${n}`],
    requests: ['Номера запросов', 'Numbers of requests'],
    take: ['Взять в работу', 'Take it on'],
    answer: ['Ответ', 'Answer'],
    'answer-send': ['Ответить', 'Answer'],
    'answer-empty': ['Напишите ответ', 'Write an answer'],

    /* --- sales --- */
    'no-sales': ['За две недели продаж по кодам не было',
        'No sales by codes within two weeks'],
    'taken-back': [(why) => `возвращена: ${why}`, (why) => `taken back: ${
        why}`],
    'roll-back': ['Вернуть', 'Take back'],
    'roll-back-of': [(code) => ` продажу по коду ${code}`,
        (code) => ` the sale by code ${code}`],
    'roll-back-why': ['Почему возвращаем', 'Why it is taken back'],
    'roll-back-empty': ['Напишите причину', 'Write the reason'],
    'roll-back-now': ['Вернуть продажу', 'Take the sale back'],
    keep: ['Не возвращать', 'Do not'],

    /* --- refusals, by the problem's type or the code's reason --- */
    'not-found': ['Такого кода нет. Проверьте, как он записан.',
        'There is no such code. Check how it is written.'],
    disabled: ['Этот код выключен.', 'This code was switched off.'],
    'not-started': ['Этот код ещё не действует.',
        'This code is not good yet.'],
    expired: ['Срок этого кода вышел.', 'This code has run out.'],
    exhausted: ['Код уже использован столько раз, сколько можно. Скидки по '
        + 'нему больше нет.', 'This code was used as often as it may be. '
        + 'There is no discount left.'],
    'self-referral': ['Это собственный код покупателя: он для друзей.',
        'This is the customer’s own code: it is for friends.'],
    personal: ['Это личный код другого человека.',
        'This is the personal code of somebody else.'],
    staff: ['Сотрудникам и по их кодам скидки нет.',
        'No discounts for staff, nor by their codes.'],
    'already-used': ['Этот покупатель уже использовал этот код.',
        'This customer has used this code already.'],
    enough: ['Этот покупатель уже использовал такую скидку.',
        'This customer has had such a discount.'],
    'not-new-customer': ['Код для новых покупателей, а этот уже покупал.',
        'The code is for new customers, this one has bought before.'],
    'too-many-open': ['Занято слишком много скидок: сначала отдайте или '
        + 'отпустите.', 'Too many discounts are reserved: redeem or release '
        + 'some first.'],
    'verification-unknown': ['Подтверждение номера не подходит. Подтвердите '
        + 'номер ещё раз.', 'The proof of the number does not fit. Prove the '
        + 'number again.'],
    'verification-used': ['Это подтверждение уже использовано. Подтвердите '
        + 'номер ещё раз.', 'This proof has been used. Prove the number '
        + 'again.'],
    'reservation-closed': ['Скидка больше не занята: прошло время. Проверьте '
        + 'код ещё раз.', 'The discount is no longer reserved: time is up. '
        + 'Check the code again.'],
    'redemption-unknown': ['Эту продажу нельзя записать за этим визитом.',
        'This sale cannot belong to this visit.'],
    'phone-used': ['С этим номером у вас уже был такой же визит за последние '
        + '30 дней. Его можно закончить без номера.', 'You had the same '
        + 'visit with this number within the last 30 days. It can be ended '
        + 'without the number.'],
    'visit-ended': ['Этот визит уже закончен.', 'This visit is over.'],
    'no-such-visit': ['Такого визита нет.', 'There is no such visit.'],
    'not-allowed': ['Вам это не разрешено. Обратитесь к супервайзеру.',
        'You are not allowed to do this. Ask your supervisor.'],
    'ticket-answered': ['На это обращение уже ответили.',
        'This report has been answered.'],
    'no-such-ticket': ['Такого обращения нет.', 'There is no such report.'],
    'already-closed': ['Эта продажа уже возвращена.',
        'This sale has been taken back.'],
    'no-such-redemption': ['Такой продажи нет.', 'There is no such sale.'],
    unauthorized: ['Вход закончился. Обновите страницу и войдите снова.',
        'You are logged out. Reload the page and log in again.'],
    offline: ['Нет связи. Нажмите ещё раз, когда она появится: дважды ничего '
        + 'не запишется.', 'There is no connection. Press again when it is '
        + 'back: nothing is done twice.'],
    away: ['Сервер не ответил вовремя. Нажмите ещё раз: дважды ничего не '
        + 'запишется.', 'The server has not answered in time. Press again: '
        + 'nothing is done twice.'],
    busy: ['Слишком много запросов. Подождите минуту.',
        'Too many requests. Wait a minute.'],
    odd: ['Не получилось. Если повторится, нажмите «Проблема?».',
        'That did not work. If it happens again, press “Trouble?”.'],
};

const LANGS = ['ru', 'en'];
const ZONES = { ru: 'ru-RU', en: 'en-GB' };

function textOf(entry, i, values) {
    const text = entry[i];

    return typeof text === 'function' ? text(...values)
        : typeof text === 'object' ? text[values[0]] : text;
}

/* Texts by language, {ru, en} or one for both, as nodes to append. */
export function spans(texts) {
    const fragment = document.createDocumentFragment();

    for (const lang of LANGS) {
        fragment.append(make('span', { lang }, typeof texts === 'string'
            ? texts : texts[lang] || texts.ru || texts.en || ''));
    }
    return fragment;
}

/* The same of a word here; a function value is asked for each language. */
export function both(word, ...values) {
    return spans(Object.fromEntries(LANGS.map((lang, i) => [lang,
        textOf(words[word], i, values.map((value) =>
            typeof value === 'function' ? value(lang) : value))])));
}

export function has(word) {
    return word in words;
}

/* A moment as both() takes it: "14:35", "3 декабря 2026". */
export function time(at) {
    return (lang) => new Date(at).toLocaleTimeString(ZONES[lang],
        { hour: '2-digit', minute: '2-digit' });
}

export function day(at) {
    return (lang) => new Date(at).toLocaleDateString(ZONES[lang],
        { day: 'numeric', month: 'long', year: 'numeric' });
}

/* "14:35" of today, "3 дек., 14:35" of another day. */
export function moment(at) {
    const date = new Date(at);
    const today = date.toDateString() === new Date().toDateString();

    return spans(Object.fromEntries(LANGS.map((lang) => [lang,
        today ? time(at)(lang) : date.toLocaleString(ZONES[lang],
            { day: 'numeric', month: 'short', hour: '2-digit',
                minute: '2-digit' })])));
}
