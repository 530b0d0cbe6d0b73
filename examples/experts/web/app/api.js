// Requests to the data API, with the caller's token.

export const REST = "/rest/v1";

export class APIError extends Error {
    constructor(status, said) {
        super(said.message ?? `The server answered ${status}.`);
        this.status = status;
        this.code = said.code;
        this.hint = said.hint;
    }
}

export class API {
    constructor(session) { this.session = session; }

    /** A request as the caller; a token that ran out on the way is exchanged, and the request sent again. */
    async fetch(path, options = {}) {
        const send = async () => {
            const token = await this.session.token();
            const headers = { ...options.headers };
            if (token) headers.Authorization = `Bearer ${token}`;
            return fetch(REST + path, { cache: "no-store", ...options, headers });
        };
        const answer = await send();
        if (answer.status !== 401 || !this.session.user) return answer;
        await this.session.refresh();
        return this.session.user ? send() : answer;
    }

    async #json(path, options) {
        const answer = await this.fetch(path, options);
        const text = await answer.text();
        const said = text ? JSON.parse(text) : null;
        if (!answer.ok) throw new APIError(answer.status, said ?? {});
        return said;
    }

    read(path) { return this.#json(path); }

    write(method, path, body, prefer = "return=minimal") {
        const headers = { "Content-Type": "application/json", Prefer: prefer };
        return this.#json(path, { method, headers, body: JSON.stringify(body) });
    }

    /** Calls a function of the database. */
    call(name, parameters = {}, options = {}) {
        const headers = { "Content-Type": "application/json" };
        return this.#json(`/rpc/${name}`, { method: "POST", headers, body: JSON.stringify(parameters), ...options });
    }
}
