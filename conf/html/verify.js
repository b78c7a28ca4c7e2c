/*
 * <leadq-verify>: proves the phone of a form with a one-time code.
 *
 *   <link rel="stylesheet" href="/verify.css">
 *   <script type="module" src="/verify.js"></script>
 *
 *   <form method="post" action="/v1/leads">
 *     <leadq-verify channels="call sms">
 *       <label for="phone">Телефон</label>
 *       <input id="phone" name="phone" type="tel" inputmode="tel"
 *              autocomplete="tel">
 *       <input id="pd" name="consent_pd" type="checkbox" value="1" required>
 *       <label for="pd">Разрешаю обрабатывать мои данные</label>
 *       <input type="hidden" name="text_version" value="club-1">
 *     </leadq-verify>
 *     <button>Вступить в клуб</button>
 *   </form>
 *
 * The fields are the page's, with its own words; without a script they are a
 * form as any other.  phone must be inside; consent_pd, consent_ads and
 * text_version may be anywhere in the form.  The element adds a button that
 * asks for a code, the field to type it in, and
 * <input type="hidden" name="verification">, which the lead carries.
 *
 * Attributes, all optional:
 *   action    where verifications are; /v1/verifications
 *   channels  ways that the reader may ask for: call sms messenger push
 *   channel   the first way, if the house is not to choose it
 *   required  the form is not sent before the phone is proved
 *   send      names of more fields of the form for the first request: a
 *             honeypot, a captcha_token
 *   token     where leadq_form_token is: asked when the page opens, and again
 *             when one was used; sent as form_token
 *   aloud     the phone is somebody else's, who tells the code: nothing is
 *             filled in from this device's own messages
 *
 * reset() forgets the phone that was proved, or is about to be: the next
 * person.
 *
 * Events, all of which bubble:
 *   leadq-verified    detail {id, expiresIn}: the phone is proved
 *   leadq-unverified  it is no longer: another number, or too long ago
 *   leadq-captcha     a captcha is wanted; whoever prevents the default shows
 *                     one, puts its answer into captcha_token and calls start()
 *
 * Nothing is kept in the browser: the session is a cookie of the server, and
 * after a reload the same request finds the same code.  The page's policy
 * must allow script-src and connect-src 'self'.
 */
import { ask, problemOf } from './ask.js';
import { View, digitsOf } from './verify-view.js';

/* failed: no way led to the reader, but the next one may. */
const OPEN = ['queued', 'sending', 'sent', 'delivered', 'failed'];
const LOOK_MS = 3000;
const LOOK_LATER_MS = 10000;
const RESEND_S = 10;
const CODE_MIN = 4;
const PHONE_MIN = 10;

class Verify extends View {
    connectedCallback() {
        this.phone = this.querySelector('[name="phone"]');
        if (!this.phone || this.parts) {
            return;
        }
        this.form = this.phone.form;
        this.build();
        this.listen();
        this.watch();
        this.show();
        this.renew();
    }

    disconnectedCallback() {
        this.rest();
    }

    /* --- what the reader does --------------------------------------------- */

    listen() {
        const code = this.parts.code;

        code.addEventListener('keydown', (event) => {
            if (event.key === 'Enter') {
                event.preventDefault();
                this.check();
            }
        });
        code.addEventListener('paste', (event) => {
            event.preventDefault();
            code.value = digitsOf(event.clipboardData.getData('text'))
                .slice(0, code.maxLength);
            code.dispatchEvent(new Event('input', { bubbles: true }));
        });
        code.addEventListener('input', () => {
            const value = digitsOf(code.value);
            const byHand = value === this.before
                || Math.abs(value.length - this.before.length) === 1;

            this.fill(value);
            /* By hand a slip may be put right; what the phone filled in or
               the reader pasted has none. */
            if (!byHand && value.length >= CODE_MIN) {
                this.check();
            }
        });
        this.addEventListener('input', (event) => {
            event.target.removeAttribute('aria-invalid');
        });
        if (this.form) {
            this.form.addEventListener('submit', (event) => this.hold(event),
                true);
        }
    }

    /* What happens around the form. */
    watch() {
        const again = () => this.stage === 'code' && this.look();

        document.addEventListener('visibilitychange', () =>
            !document.hidden && again());
        window.addEventListener('online', () => {
            if (this.error && this.error[0] === 'offline') {
                this.fail(null);
            }
            again();
        });
        new MutationObserver(() => this.show()).observe(
            document.documentElement, { attributeFilter: ['lang'] });
    }

    /* With "required" the form waits for the proof. */
    hold(event) {
        if (!this.hasAttribute('required') || this.verification) {
            return;
        }
        event.preventDefault();
        event.stopImmediatePropagation();
        if (this.stage === 'code') {
            this.blame(this.parts.code, 'first');

        } else {
            this.start();
        }
    }

    /* --- the first request ------------------------------------------------ */

    url(path) {
        return (this.getAttribute('action') || '/v1/verifications') + path;
    }

    field(name) {
        return this.querySelector(`[name="${name}"]`)
            || (this.form && this.form.elements.namedItem(name));
    }

    request() {
        const more = (this.getAttribute('send') || '').split(/\s+/);
        const fields = { phone: this.phone.value.trim(),
            lang: this.say('lang') };

        if (this.hasAttribute('channel')) {
            fields.channel = this.getAttribute('channel');
        }
        if (this.formToken) {
            fields.form_token = this.formToken;
        }
        for (const name of ['consent_pd', 'consent_ads', 'text_version',
            ...more.filter(Boolean)])
        {
            const field = this.field(name);

            if (field) {
                fields[name] = field.type === 'checkbox' ? field.checked
                    : field.value;
            }
        }
        return fields;
    }

    /* A token for the next start: a server may take each but once.  Without
       a new one that start is refused, and who reads that comes back. */
    async renew() {
        if (this.hasAttribute('token')) {
            const reply = await ask('GET', this.getAttribute('token'));

            this.formToken = reply.body.token || this.formToken;
        }
    }

    /* What the page can see by itself. */
    isReady() {
        const consent = this.field('consent_pd');

        if (digitsOf(this.phone.value).length < PHONE_MIN) {
            this.blame(this.phone, 'phone');
            return false;
        }
        if (consent && consent.required && !consent.checked) {
            this.blame(consent, 'consent');
            return false;
        }
        return true;
    }

    async call(method, path, value) {
        this.fail(null);
        this.setBusy(true);
        const reply = await ask(method, this.url(path), value);

        this.setBusy(false);
        return reply;
    }

    /* Asks for a code; what the button does. */
    async start() {
        if (this.busy || !this.isReady()) {
            return;
        }
        const reply = await this.call('POST', '', this.request());

        if (reply.status === 200 || reply.status === 202) {
            this.spent = false;
            this.fill('');
            this.take(reply.body);
            this.parts.code.focus();
            this.hear();

        } else {
            this.refused(reply);
        }
        if (reply.status === 202) {
            this.renew();
        }
    }

    /* --- the verification under way --------------------------------------- */

    /* What the server has told of it. */
    take(is) {
        const was = this.is && this.is.state;

        this.is = is;
        this.until = { resend: Date.now() + 1000 * (is.resend_after || 0),
            expires: Date.now() + 1000 * is.expires_in };
        if (is.state === 'verified') {
            this.prove(is.result_expires_in);
            return;
        }
        if (!OPEN.includes(is.state)) {
            this.end(is.state);
            return;
        }
        if (this.stage !== 'code') {
            this.stage = 'code';
            this.clock = setInterval(() => this.onSecond(), 1000);
        }
        if ((was === 'failed') !== (is.state === 'failed')) {
            this.error = is.state === 'failed' ? ['failed'] : null;
        }
        this.show();
        this.lookIn(is.state === 'delivered' ? LOOK_LATER_MS : LOOK_MS);
    }

    lookIn(ms) {
        clearTimeout(this.looking);
        this.looking = setTimeout(() => this.look(), ms);
    }

    /* What became of the code: sent, delivered, another way. */
    async look() {
        const id = this.is.id;

        clearTimeout(this.looking);
        const reply = document.hidden || this.busy ? { status: 0 }
            : await ask('GET', this.url(`/${id}`));

        if (this.stage !== 'code' || this.is.id !== id) {
            return;
        }
        if (reply.status === 200 && !this.busy) {
            this.take(reply.body);

        } else if (reply.status === 404 || reply.status === 410) {
            this.end('gone');

        } else {
            this.lookIn(LOOK_LATER_MS);
        }
    }

    onSecond() {
        if (this.left('expires') === 0) {
            this.end('expired');

        } else {
            this.offer();
            this.tick();
        }
    }

    async check() {
        const code = this.parts.code;

        if (this.busy || this.stage !== 'code') {
            return;
        }
        if (code.value.length < CODE_MIN) {
            this.blame(code, 'short', this.is.code_length);
            return;
        }
        const reply = await this.call('POST', `/${this.is.id}/check`,
            { code: code.value });

        if (reply.status === 200) {
            this.prove(reply.body.result_expires_in, true);

        } else if (problemOf(reply) === 'code-mismatch') {
            this.mismatch(reply.body.checks_left);

        } else if (reply.status === 422) {
            this.blame(code, 'short', this.is.code_length);

        } else if (reply.status === 410 && this.is.checks_left === 1) {
            this.end('locked', true);

        } else {
            this.refused(reply);
        }
    }

    mismatch(left) {
        if (left === 0) {
            this.end('locked', true);

        } else {
            this.is.checks_left = left;
            this.blame(this.parts.code, 'mismatch', left);
            this.parts.code.select();
        }
    }

    async resend(way) {
        const reply = await this.call('POST', `/${this.is.id}/resend`,
            { channel: way });

        if (reply.status === 202 || reply.status === 200) {
            this.take(reply.body);
            this.hear();

        } else if (problemOf(reply) === 'resend-too-early') {
            this.until.resend = Date.now() + 1000 * (reply.wait || RESEND_S);
            this.show();

        } else if (problemOf(reply) === 'resend-limit') {
            this.spent = true;
            this.fail(['limit']);

        } else {
            this.refused(reply);
        }
        if (this.stage === 'code') {
            this.parts.code.focus();
        }
    }

    /* --- its end ---------------------------------------------------------- */

    /* Timers, and what waits for an SMS. */
    rest() {
        clearInterval(this.clock);
        clearTimeout(this.looking);
        clearTimeout(this.lapse);
        if (this.otp) {
            this.otp.abort();
            this.otp = null;
        }
    }

    /* Over, and not verified.  Who reads something else is left there. */
    end(state, asked) {
        const here = asked || this.contains(document.activeElement);

        this.rest();
        this.stage = 'closed';
        this.fill('');
        this.fail([`closed-${state}`]);
        if (here) {
            this.parts.get.focus();
        }
    }

    prove(expires_s, asked) {
        const here = asked || this.contains(document.activeElement);

        this.rest();
        this.stage = 'verified';
        this.fill('');
        this.fail(null);
        if (here) {
            this.parts.done.focus();
        }
        if (expires_s) {
            this.lapse = setTimeout(() => this.undo(['lapsed']),
                1000 * expires_s);
        }
        this.tell('leadq-verified', { id: this.is.id, expiresIn: expires_s });
    }

    /* Another number: the code under way is worth nothing any more. */
    async change() {
        await this.reset();
        this.phone.focus();
    }

    async reset() {
        if (this.stage === 'code') {
            await this.call('DELETE', `/${this.is.id}`);
        }
        this.undo(null);
    }

    /* Back to the phone number. */
    undo(error) {
        const was = this.verification;

        this.rest();
        this.stage = 'idle';
        this.is = null;
        this.fail(error);
        if (was) {
            this.tell('leadq-unverified', { id: was });
        }
    }

    /* False when somebody prevented the default. */
    tell(name, detail) {
        return this.dispatchEvent(new CustomEvent(name, { detail,
            bubbles: true, cancelable: true }));
    }

    /* --- refusals --------------------------------------------------------- */

    refused(reply) {
        const problem = problemOf(reply);

        if (reply.status === 0) {
            this.fail(['offline']);

        } else if (this.stage === 'code' && /^4(04|10)$/.test(reply.status)) {
            this.end('gone', true);

        } else if (problem === 'captcha-required') {
            this.fail([this.tell('leadq-captcha', {}) ? 'busy' : 'captcha',
                reply.wait]);

        } else if (reply.status === 429) {
            this.fail(['busy', reply.wait]);

        } else if (problem === 'consent-required') {
            this.blame(this.field('consent_pd') || this.phone, 'consent');

        } else if (problem === 'phone-not-served') {
            this.blame(this.phone, 'not-served');

        } else if (reply.status === 422) {
            this.invalid(reply.body.errors || []);

        } else {
            this.fail([reply.status >= 500 ? 'away' : 'odd', reply.wait]);
        }
    }

    /* Fields that the server did not like; one message at a time. */
    invalid(errors) {
        const names = errors.map((error) => error.field);

        if (names.includes('consent_pd')) {
            this.blame(this.field('consent_pd') || this.phone, 'consent');

        } else if (names.includes('phone')) {
            this.blame(this.phone, 'phone');

        } else {
            this.fail(['odd']);
        }
    }

    /* --- the phone reads its SMS (Web OTP) -------------------------------- */

    async hear() {
        if (!('OTPCredential' in window) || this.otp
            || this.hasAttribute('aloud'))
        {
            return;
        }
        const abort = new AbortController();

        this.otp = abort;
        try {
            const sms = await navigator.credentials.get({
                otp: { transport: ['sms'] }, signal: abort.signal });

            if (sms && this.stage === 'code') {
                this.fill(digitsOf(sms.code));
                this.check();
            }
        } catch (error) {
            /* Not allowed, or no longer wanted: it is typed by hand. */
        }
        if (this.otp === abort) {
            this.otp = null;
        }
    }
}

customElements.define('leadq-verify', Verify);
