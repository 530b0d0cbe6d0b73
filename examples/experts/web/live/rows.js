// Upkeep of a result by the changes that the server tells (docs/live.md).

/** The rows after a list of changes, as a fresh read would give them. */
export function applied(rows, changes, keyColumns = ["id"]) {
    const name = (key) => JSON.stringify(keyColumns.map((column) => key[column]));
    const named = new Set(changes.map((change) => name(change.key ?? change.row)));
    const result = rows.filter((row) => !named.has(name(row)));
    for (const change of changes) {
        if (change.row) result.splice(change.index, 0, change.row);
    }
    return result;
}

/** Waits, longer each time up to ten seconds, and never for all clients at the same moment. */
export class Backoff {
    #tries = 0;

    reset() { this.#tries = 0; }

    get delay() {
        const longest = Math.min(10_000, 250 * 2 ** this.#tries++);
        return longest / 2 + Math.random() * longest / 2;
    }

    wait(signal) {
        return new Promise((resolve) => {
            const timer = setTimeout(resolve, this.delay);
            signal?.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
        });
    }
}
