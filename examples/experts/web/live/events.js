// Server-sent events (WHATWG HTML, "Server-sent events"), read with fetch because EventSource sends no token.

/** Yields `{ id, event, data, bytes }` from the body of an answer until it ends. */
export async function* serverSentEvents(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    let message = { event: "message", data: [], bytes: 0 };
    let id;
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        text += value;
        let end;
        while ((end = text.search(/\r\n|\n|\r(?!$)/)) >= 0) {
            const line = text.slice(0, end);
            text = text.slice(end + (text.startsWith("\r\n", end) ? 2 : 1));
            message.bytes += line.length + 1;
            if (line === "") {
                if (message.data.length > 0) yield { ...message, id, data: message.data.join("\n") };
                message = { event: "message", data: [], bytes: 0 };
                continue;
            }
            const colon = line.indexOf(":");
            const name = colon < 0 ? line : line.slice(0, colon);
            const content = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
            if (name === "data") message.data.push(content);
            else if (name === "event") message.event = content;
            else if (name === "id") id = content;
        }
    }
}
