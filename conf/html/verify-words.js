/*
 * What <leadq-verify> says, in Russian and in English: a text, or a function
 * of the values that belong into it.  A page changes what it likes:
 *
 *   import { words } from '/verify-words.js';
 *   words.ru.get = 'Прислать код';
 */

const rules = { ru: new Intl.PluralRules('ru'),
    en: new Intl.PluralRules('en') };

/* many('ru', 3, 'попытка', 'попытки', 'попыток') */
function many(lang, n, one, few, other) {
    const form = { one, few: few, many: other }[rules[lang].select(n)];

    return `${n}\u00a0${form || (lang === 'ru' ? few : other)}`;
}

/* When to come back: seconds of Retry-After, 0 when nobody told. */
function laterRu(s) {
    if (!s) {
        return 'чуть позже';
    }
    return s < 90 ? `через ${many('ru', s, 'секунду', 'секунды', 'секунд')}`
        : `через ${many('ru', Math.ceil(s / 60), 'минуту', 'минуты',
            'минут')}`;
}

function laterEn(s) {
    if (!s) {
        return 'a little later';
    }
    return s < 90 ? `in ${many('en', s, 'second', '', 'seconds')}`
        : `in ${many('en', Math.ceil(s / 60), 'minute', '', 'minutes')}`;
}

const ru = {
    lang: 'ru',
    group: 'Подтверждение номера',
    get: 'Получить код',
    new: 'Получить новый код',
    check: 'Подтвердить',
    change: 'Изменить номер',
    label: 'Код из сообщения',
    'label-call': (n) => `Последние ${many('ru', n, 'цифра', 'цифры',
        'цифр')} номера, с которого позвонили`,
    sending: (phone) => `Отправляем код на ${phone}…`,
    'told-sms': (phone) => `Отправили SMS с кодом на ${phone}.`,
    'told-call': (phone, n) => `Ждём звонок на ${phone}: последние `
        + `${many('ru', n, 'цифра', 'цифры', 'цифр')} номера\u00a0— это `
        + 'код. Отвечать не нужно.',
    'told-messenger': (phone) => 'Отправили код в мессенджер, номер '
        + `${phone}.`,
    'told-push': () => 'Отправили код в наше приложение.',
    wait: (time) => `Можно повторить через ${time}`,
    can: 'Код можно запросить ещё раз',
    'again-sms': 'Отправить SMS ещё раз',
    'again-call': 'Позвонить ещё раз',
    'again-messenger': 'Отправить в мессенджер ещё раз',
    'again-push': 'Отправить в приложение ещё раз',
    'other-sms': 'Получить код по SMS',
    'other-call': 'Получить код звонком',
    'other-messenger': 'Получить код в мессенджере',
    'other-push': 'Получить код в приложении',
    done: (phone) => `Номер ${phone} подтверждён`,

    phone: 'Напишите номер мобильного целиком, например '
        + '+7\u00a0912\u00a0345-67-89.',
    'not-served': 'На этот номер мы не можем отправить код. Нужен '
        + 'мобильный номер, например +7\u00a0912\u00a0345-67-89.',
    consent: 'Отметьте согласие на обработку персональных данных: без '
        + 'него мы не можем отправить код.',
    failed: 'Не получилось отправить код. Проверьте номер или попробуйте '
        + 'другой способ.',
    first: 'Сначала подтвердите номер: введите код.',
    short: (n) => `В коде ${many('ru', n, 'цифра', 'цифры', 'цифр')}. `
        + 'Введите все.',
    mismatch: (left) => 'Код не подошёл. Проверьте его. Осталось: '
        + `${many('ru', left, 'попытка', 'попытки', 'попыток')}.`,
    limit: 'Больше отправить не можем. Введите код, который уже пришёл, '
        + 'или начните заново позже.',
    busy: (s) => `Слишком много запросов. Попробуйте ${laterRu(s)}.`,
    captcha: 'Подтвердите, что вы не робот.',
    away: (s) => 'Сервис временно недоступен. Попробуйте '
        + `${laterRu(s)}.`,
    offline: 'Нет связи с интернетом. Проверьте её и попробуйте ещё раз.',
    odd: 'Не получилось. Обновите страницу и попробуйте ещё раз.',
    lapsed: 'Подтверждение устарело. Получите новый код.',
    'closed-gone': 'Этот код больше не действует. Получите новый.',
    'closed-expired': 'Время вышло, код больше не действует. Получите '
        + 'новый.',
    'closed-locked': 'Код не подошёл, и попытки закончились. Получите '
        + 'новый код.',
    'closed-cancelled': 'Этот код отменён. Получите новый.',
};

const en = {
    lang: 'en',
    group: 'Phone verification',
    get: 'Get a code',
    new: 'Get a new code',
    check: 'Confirm',
    change: 'Change the number',
    label: 'Code from the message',
    'label-call': (n) => `Last ${many('en', n, 'digit', '', 'digits')} `
        + 'of the number that called',
    sending: (phone) => `Sending a code to ${phone}…`,
    'told-sms': (phone) => `We have sent an SMS with a code to ${phone}.`,
    'told-call': (phone, n) => `We are calling ${phone}: the last `
        + `${many('en', n, 'digit', '', 'digits')} of our number are the `
        + 'code. You need not answer.',
    'told-messenger': (phone) => 'We have sent a code to your messenger, '
        + `number ${phone}.`,
    'told-push': () => 'We have sent a code to our app.',
    wait: (time) => `You can try again in ${time}`,
    can: 'You can ask for the code again',
    'again-sms': 'Send the SMS again',
    'again-call': 'Call again',
    'again-messenger': 'Send to the messenger again',
    'again-push': 'Send to the app again',
    'other-sms': 'Get the code by SMS',
    'other-call': 'Get the code by a call',
    'other-messenger': 'Get the code in a messenger',
    'other-push': 'Get the code in the app',
    done: (phone) => `The number ${phone} is confirmed`,

    phone: 'Write the whole mobile number, for example '
        + '+7\u00a0912\u00a0345-67-89.',
    'not-served': 'We cannot send a code to this number. It takes a '
        + 'mobile number, for example +7\u00a0912\u00a0345-67-89.',
    consent: 'Tick the consent to personal data processing: without it '
        + 'we may not send a code.',
    failed: 'The code could not be sent. Check the number or try another '
        + 'way.',
    first: 'First confirm the number: type the code.',
    short: (n) => `The code has ${many('en', n, 'digit', '', 'digits')}. `
        + 'Type all of them.',
    mismatch: (left) => 'The code is not right. Check it. '
        + `${many('en', left, 'attempt', '', 'attempts')} left.`,
    limit: 'We cannot send more. Type the code that has come, or start '
        + 'again later.',
    busy: (s) => `Too many requests. Try again ${laterEn(s)}.`,
    captcha: 'Show that you are not a robot.',
    away: (s) => `The service is away for a while. Try again ${laterEn(s)}.`,
    offline: 'There is no connection. Check it and try again.',
    odd: 'That did not work. Reload the page and try again.',
    lapsed: 'The confirmation is too old. Get a new code.',
    'closed-gone': 'This code is no longer good. Get a new one.',
    'closed-expired': 'Time is up, the code is no longer good. Get a new '
        + 'one.',
    'closed-locked': 'The code was not right, and there are no attempts '
        + 'left. Get a new code.',
    'closed-cancelled': 'This code was cancelled. Get a new one.',
};

export const words = { ru, en };

/* A word or sentence in a language. */
export function say(lang, word, values) {
    const text = words[lang][word];

    return typeof text === 'function' ? text(...values) : text;
}
