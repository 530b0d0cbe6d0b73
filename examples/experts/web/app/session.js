// Who is using this window: signing in, and an access token that never runs out while somebody is there.
//
// The session lives in sessionStorage, so two tabs can be two people, and a reload is still the same one.

const AUTH = "/auth/v1";
const KEY = "experts.session";
/** Seconds before its end at which a token is exchanged. */
const MARGIN = 60;

export class SessionError extends Error {
    constructor(message, code) {
        super(message);
        this.code = code;
    }
}

async function call(path, body, token) {
    const headers = { "Content-Type": "application/json", "X-Supabase-Api-Version": "2024-01-01" };
    if (token) headers.Authorization = `Bearer ${token}`;
    const answer = await fetch(AUTH + path, { method: "POST", headers, body: JSON.stringify(body) });
    const said = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (!answer.ok) throw new SessionError(said.message ?? said.msg ?? `Sign-in answered ${answer.status}.`, said.code);
    return said;
}

/** Tells `change` when somebody signed in or out, and `token` when a new token holds. */
export class Session extends EventTarget {
    #session = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    #refreshing = null;
    #timer = null;

    constructor() {
        super();
        if (this.#session) this.#plan();
    }

    get user() { return this.#session?.user ?? null; }

    /** As nobody in particular: an account without address or password. */
    async enterAsGuest() { this.#take(await call("/signup", {})); }

    async signIn(email, password) { this.#take(await call("/token?grant_type=password", { email, password })); }

    /** Returns false when the address has to be confirmed with a code first. */
    async signUp(email, password) {
        const made = await call("/signup", { email, password });
        if (!made.access_token) return false;
        this.#take(made);
        return true;
    }

    async confirm(email, token) { this.#take(await call("/verify", { type: "signup", email, token })); }

    async signOut() {
        const token = this.#session?.access_token;
        this.#end();
        if (token) await call("/logout?scope=local", {}, token).catch(() => {});
    }

    /** An access token that holds; null when nobody is signed in. */
    async token() {
        if (!this.#session) return null;
        if (this.#session.expires_at - Date.now() / 1000 < MARGIN / 2) await this.refresh();
        return this.#session?.access_token ?? null;
    }

    /** The token as it is, for code that cannot wait. */
    get heldToken() { return this.#session?.access_token ?? null; }

    /** Exchanges the refresh token, once for all who ask meanwhile. */
    refresh() {
        this.#refreshing ??= this.#exchange().finally(() => { this.#refreshing = null; });
        return this.#refreshing;
    }

    async #exchange() {
        const before = this.#session;
        if (!before) return;
        try {
            const made = await call("/token?grant_type=refresh_token", { refresh_token: before.refresh_token });
            if (this.#session === before) this.#take(made);
        } catch (error) {
            // A refusal ends the session; a network that is away does not.
            if (error instanceof SessionError && this.#session === before) {
                this.#end("Your session has ended. Please sign in again.");
            } else if (this.#session === before) {
                this.#plan(5);
            }
        }
    }

    #take(made) {
        const isNew = this.#session?.user?.id !== made.user.id;
        this.#session = {
            access_token: made.access_token, refresh_token: made.refresh_token, user: made.user,
            expires_at: made.expires_at ?? Date.now() / 1000 + made.expires_in,
        };
        sessionStorage.setItem(KEY, JSON.stringify(this.#session));
        this.#plan();
        this.dispatchEvent(new Event("token"));
        if (isNew) this.dispatchEvent(new Event("change"));
    }

    #end(reason) {
        clearTimeout(this.#timer);
        this.#session = null;
        sessionStorage.removeItem(KEY);
        this.dispatchEvent(new CustomEvent("change", { detail: reason }));
    }

    #plan(seconds = this.#session.expires_at - Date.now() / 1000 - MARGIN) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.refresh(), Math.max(1, seconds) * 1000);
    }
}
