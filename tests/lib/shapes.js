'use strict';

/*
 * The words of gateways of SMS, calls and messengers: what each answers and
 * reports, as its own documentation says.  A shape is
 *
 *   id(number)              its name for a message, of a growing number
 *   words                   our words for states -> its own
 *   answer(send)            what it says when it takes a message
 *   refuse(send)            how it refuses in a 200
 *   receipt(send, r, url)   {type: "json" or "form", fields, headers} of a
 *                           report; r: {state, word, error, at, secret}
 *   poll(send, r)           the same, asked for; else the receipt's fields
 *   status                  of its answers, 200 when absent
 *   chooses                 true when it dials a number whose last digits are
 *                           the code, and tells them
 */

const crypto = require('crypto');

const STATES = ['queued', 'sent', 'delivered', 'read', 'clicked',
    'undelivered', 'expired', 'rejected'];

function words(...list) {
    return Object.fromEntries(STATES.map((state, i) => [state, list[i]]));
}

function hash(name, text) {
    return crypto.createHash(name).update(text).digest('hex');
}

function seconds(at) {
    return Math.floor(at / 1000);
}

const generic = {
    id: (n) => `message-${n}`,
    words: words(...STATES),
    answer: (send) => ({ id: send.id, status: 'accepted',
        ...(send.chosen ? { code: send.code } : {}) }),
    refuse: () => ({ status: 'refused', error: 'not today' }),
    receipt: (send, r) => ({ type: 'json', fields: { id: send.id,
        send: send.key, status: r.word, error: r.error, at: r.at } }),
};

const shapes = {
    generic,

    /* a call of it: the last four digits of who calls are the code */
    call: { ...generic, id: (n) => `call-${n}`, chooses: true },

    smsc: {
        id: (n) => n,
        words: words(-1, 0, 1, 2, 4, 20, 3, 23),
        answer: (send) => ({ id: send.id, cnt: 1 }),
        refuse: () => ({ error: 'no money', error_code: 3 }),
        receipt: (send, r) => ({ type: 'form', fields: { id: send.id,
            phone: send.phone, status: r.word, time: new Date(r.at)
                .toISOString(), ts: seconds(r.at), err: r.error || 0, type: 0,
            flag: 0, md5: hash('md5', [send.id, send.phone, r.word, r.secret]
                .join(':')) } }),
        poll: (send, r) => ({ status: r.word, err: r.error || 0,
            last_timestamp: seconds(r.at) }),
    },

    twilio: {
        id: (n) => `SM${hash('md5', `twilio ${n}`)}`,
        status: 201,
        words: words('queued', 'sent', 'delivered', 'read', 'read',
            'undelivered', 'undelivered', 'failed'),
        answer: (send) => ({ sid: send.id, status: 'queued',
            to: `+${send.phone}`, error_code: null }),
        refuse: (send) => ({ sid: send.id, status: 'failed',
            error_code: 21610 }),
        receipt: (send, r, url) => {
            const fields = { AccountSid: 'AC00', ApiVersion: '2010-04-01',
                From: '+15550100', MessageSid: send.id,
                MessageStatus: r.word, SmsSid: send.id, SmsStatus: r.word,
                To: `+${send.phone}`,
                ...(r.error ? { ErrorCode: r.error } : {}) };
            const text = Object.keys(fields).sort().reduce((sum, name) =>
                sum + name + fields[name], url);

            return { type: 'form', fields, headers: { 'x-twilio-signature':
                crypto.createHmac('sha1', r.secret).update(text)
                    .digest('base64') } };
        },
        poll: (send, r) => ({ sid: send.id, status: r.word,
            error_code: r.error || null }),
    },

    smsaero: {
        id: (n) => 500000 + n,
        words: words(4, 3, 1, 1, 1, 2, 2, 6),
        answer: (send) => ({ success: true, data: { id: send.id,
            from: 'SMS Aero', number: send.phone, text: send.text, status: 0,
            extendStatus: 'queue', cost: 5.49 }, message: null }),
        refuse: () => ({ success: false, data: null,
            message: 'Not enough money' }),
        receipt: (send, r) => ({ type: 'json', fields: { id: send.id,
            status: r.word, extendStatus: r.state } }),
        poll: (send, r) => ({ success: true, data: { id: send.id,
            status: r.word, extendStatus: r.state }, message: null }),
    },

    devino: {
        id: (n) => `41503075348932${10000 + n}`,
        words: words('ENQUEUED', 'SENT', 'DELIVERED', 'READ', 'CLICKED',
            'UNDELIVERED', 'EXPIRED', 'REJECTED'),
        answer: (send) => ({ result: [{ code: 'OK', messageId: send.id,
            segmentsId: null }] }),
        refuse: () => ({ result: [{ code: 'REJECTED', reasons: [
            { key: 'UndefinedSourceAddress' }] }] }),
        receipt: (send, r) => ({ type: 'json', fields: { messageId: send.id,
            status: r.word, error: r.error,
            options: { send: send.echo } } }),
    },

    'devino-v2': {
        id: (n) => `58025487347${10000 + n}`,
        words: words(-2, -1, 0, 0, 0, 47, 46, 69),
        answer: (send) => [send.id],
        refuse: () => ({ Code: 5, Desc: 'No credits' }),
        receipt: (send, r) => ({ type: 'json', fields: { State: r.word } }),
    },

    'vk-devino': {
        id: (n) => 3222269300000 + n,
        words: words('enqueued', 'sent', 'delivered', 'read', 'read',
            'undelivered', 'vp_expired', 'failed'),
        answer: (send) => ({ code: 'ok', description: '', result: {
            code: 'ok', messageId: send.id } }),
        refuse: () => ({ code: 'ok', description: '', result: {
            code: 'phone_invalid' } }),
        receipt: (send, r) => ({ type: 'json', fields: { code: 'ok', result: {
            id: send.id, code: 'ok', dlvStatus: { status: r.word,
                error: r.error } } } }),
    },

    smsru: {
        id: (n) => `000000-${10000000 + n}`,
        words: words(100, 102, 103, 110, 110, 150, 104, 108),
        answer: (send) => ({ status: 'OK', status_code: 100, sms: {
            [send.phone]: { status: 'OK', status_code: 100,
                sms_id: send.id } }, balance: 100 }),
        refuse: (send) => ({ status: 'OK', status_code: 100, sms: {
            [send.phone]: { status: 'ERROR', status_code: 207 } } }),
        receipt: (send, r) => {
            const data = ['sms_status', send.id, r.word, seconds(r.at)]
                .join('\n');

            return { type: 'form', fields: { 'data[0]': data,
                hash: hash('sha256', r.secret + data) } };
        },
        poll: (send, r) => ({ status: 'OK', status_code: 100, sms: {
            [send.id]: { status: 'OK', status_code: r.word } } }),
    },

    'smsru-call': {
        ...generic,
        id: (n) => `000000-${20000000 + n}`,
        chooses: true,
        answer: (send) => ({ status: 'OK', code: send.code,
            call_id: send.id, cost: 0.4, balance: 100 }),
        refuse: () => ({ status: 'ERROR', status_code: 202,
            status_text: 'bad number' }),
    },

    ucaller: {
        ...generic,
        id: (n) => 103000 + n,
        answer: (send) => ({ status: true, ucaller_id: send.id,
            phone: Number(send.phone), code: send.code,
            unique_request_id: send.key }),
        refuse: () => ({ status: false, error: 'no money', code: 5 }),
        poll: (send, r) => ({ status: true, ucaller_id: send.id,
            call_status: r.state === 'delivered' ? 1
                : r.state === 'sent' ? -1 : 0 }),
    },

    telegram: {
        id: (n) => `8473623${10000 + n}`,
        words: words('sent', 'sent', 'delivered', 'read', 'read', 'revoked',
            'expired', 'revoked'),
        answer: (send) => ({ ok: true, result: { request_id: send.id,
            phone_number: `+${send.phone}`, request_cost: 0.01,
            delivery_status: { status: 'sent' } } }),
        refuse: () => ({ ok: false, error: 'PHONE_NUMBER_NOT_FOUND' }),
        receipt: (send, r) => ({ type: 'json', fields: {
            request_id: send.id, phone_number: `+${send.phone}`,
            payload: send.echo, delivery_status: { status: r.word,
                updated_at: seconds(r.at) } } }),
        poll: (send, r) => ({ ok: true, result: { request_id: send.id,
            delivery_status: { status: r.word } } }),
    },
};

module.exports = shapes;
