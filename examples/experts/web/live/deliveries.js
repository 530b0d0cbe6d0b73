// The same read, delivered in five ways. Each runs until its signal is aborted, over restarts of the server, and calls
// `told({ rows, bytes, requests, notModified })` with what one answer or message brought.

import { applied, Backoff } from "./rows.js";
import { serverSentEvents } from "./events.js";

const pause = (milliseconds, signal) => new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
});

/** Repeats a step; when one fails, it waits longer and longer, and says so. */
async function repeat(signal, { told, step }) {
    const backoff = new Backoff();
    while (!signal.aborted) {
        try {
            await step(backoff);
            backoff.reset();
        } catch (error) {
            if (signal.aborted) return;
            told({ problem: error.message });
            await backoff.wait(signal);
        }
    }
}

async function checked(answer) {
    if (answer.ok || answer.status === 304) return answer;
    throw new Error(`The server answered ${answer.status}.`);
}

/** A GET every two seconds, whether anything has changed or not. */
function plain({ api, path, told, signal }) {
    return repeat(signal, { told, step: async () => {
        const answer = await checked(await api.fetch(path, { signal }));
        const text = await answer.text();
        told({ rows: JSON.parse(text), bytes: text.length, requests: 1 });
        await pause(2_000, signal);
    } });
}

/** A GET every second that says what is known; while that holds, the answer is 304, and nobody asks the database. */
function conditional({ api, path, told, signal }) {
    let tag = null;
    return repeat(signal, { told, step: async () => {
        const headers = tag ? { "If-None-Match": tag } : {};
        const answer = await checked(await api.fetch(path, { headers, signal }));
        if (answer.status === 304) {
            told({ requests: 1, notModified: 1 });
        } else {
            const text = await answer.text();
            tag = answer.headers.get("ETag");
            told({ rows: JSON.parse(text), bytes: text.length, requests: 1 });
        }
        await pause(1_000, signal);
    } });
}

/** A GET that the server holds until the result differs, for half a minute. */
function longPoll({ api, path, told, signal }) {
    let tag = null;
    return repeat(signal, { told, step: async () => {
        const headers = tag ? { "If-None-Match": tag, Prefer: "wait=30" } : {};
        const answer = await checked(await api.fetch(path, { headers, signal }));
        if (answer.status === 304) return told({ requests: 1, notModified: 1 });
        const text = await answer.text();
        tag = answer.headers.get("ETag");
        told({ rows: JSON.parse(text), bytes: text.length, requests: 1 });
        if (!tag) await pause(2_000, signal);
    } });
}

/** One GET whose answer never ends: the result, then what changes in it. */
function stream({ api, path, told, signal }) {
    let last = null;
    let rows = [];
    return repeat(signal, { told, step: async (backoff) => {
        const headers = { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
        const answer = await checked(await api.fetch(path, { headers, signal }));
        told({ requests: 1 });
        for await (const message of serverSentEvents(answer)) {
            last = message.id ?? last;
            backoff.reset();
            const data = JSON.parse(message.data);
            if (message.event === "end") throw new Error(data.message);
            if (message.event === "snapshot") rows = data;
            if (message.event === "changes") rows = applied(rows, data);
            told({ rows: message.event === "resumed" ? undefined : rows, bytes: message.bytes });
        }
        throw new Error("The stream has ended.");
    } });
}

/** One read of the many on the page's WebSocket. */
function socket({ live, path, told, signal }) {
    told({ requests: live.isOpen ? 0 : 1 });
    const end = live.follow(path, (rows, message, bytes) => told({ rows, bytes }), {
        failed: (error) => told({ problem: error.message }),
    });
    signal.addEventListener("abort", end, { once: true });
}

export const DELIVERIES = [
    { name: "get", title: "GET", about: "asks every 2 s, and is sent everything each time", start: plain },
    { name: "etag", title: "GET + ETag", about: "asks every second; 304 while nothing has changed", start: conditional },
    { name: "wait", title: "Long poll", about: "Prefer: wait=30 holds the answer until there is one", start: longPoll },
    { name: "sse", title: "Server-sent events", about: "one answer that goes on", start: stream },
    { name: "socket", title: "WebSocket", about: "one of many reads on /live/v1", start: socket },
];
