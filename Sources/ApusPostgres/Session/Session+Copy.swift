package import ApusSQL

extension Session {
    /// Sends the bytes of `source` with a `COPY … FROM STDIN`, and returns the number of rows. When `source`
    /// throws, the COPY fails in the server, nothing is stored, and the error comes out here.
    package func copyIn<Source: AsyncSequence>(
        _ sql: SQL, from source: Source
    ) async throws -> Int where Source.Element == [UInt8] {
        _ = try await mailbox.perform(.copyIn(Statement(sql)), session: id).get()
        do {
            for try await bytes in source {
                _ = try await mailbox.perform(.copyData(bytes), session: id).get()
            }
            // A cancelled task's source just ends; the end is then refused like everything else it asks for.
            let rows = try await mailbox.perform(.endCopy(nil), session: id).get().only()
            return rows.affectedRows ?? 0
        } catch {
            _ = await mailbox.perform(
                .endCopy("The client has stopped sending."), session: id, timeout: .seconds(5),
                isShielded: true)
            throw error
        }
    }

    /// The bytes that a `COPY … TO STDOUT` gives, some whole rows at a time. They are read as they are
    /// asked for; the statement runs when the first ones are. A stream that is left before its end takes the
    /// connection with it.
    package func copyOut(_ sql: SQL) -> AsyncThrowingStream<[UInt8], any Error> {
        let (mailbox, id) = (mailbox, id)
        let statement = Statement(sql)
        let hasBegun = Flag()
        return AsyncThrowingStream {
            if hasBegun.raise() {
                _ = try await mailbox.perform(.copyOut(statement), session: id).get()
            }
            let (result, submission) = await mailbox.performing(.copyNext, session: id)
            _ = try result.get()
            return submission.copied.isEmpty ? nil : submission.copied
        }
    }
}
