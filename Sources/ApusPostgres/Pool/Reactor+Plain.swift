import CLibPQ

/// Answers outside pipeline mode: scripts and COPY.
extension Reactor {
    /// Takes what has arrived for the operation that runs.
    func readPlain(_ connection: PooledConnection) {
        guard let operation = connection.inFlight.first else { return }
        if connection.mode == .copyOut {
            guard takeCopyRows(for: operation, connection) else { return }
        }
        while connection.mode == .plain, connections[connection.slot] === connection, !connection.wire.isBusy
        {
            guard let result = connection.wire.nextResult() else { return endPlain(connection) }
            takePlain(result, operation, connection)
        }
    }

    /// The socket took everything: the sender of COPY data may send more.
    func copyDataTaken(_ connection: PooledConnection) {
        guard case .copyData = connection.inFlight.first?.work else { return }
        finishHead(connection)
        settle(connection)
    }

    // MARK: - Non public

    /// How much a COPY hands out at once, in bytes, at the least, if it is there.
    private static var copyChunk: Int { 65_536 }

    private func takePlain(_ result: OpaquePointer, _ operation: Submission, _ connection: PooledConnection) {
        switch PQresultStatus(result) {
        case PGRES_COPY_IN: copyBegan(.copyIn, result, operation, connection)
        case PGRES_COPY_OUT: copyBegan(.copyOut, result, operation, connection)
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            if case .endCopy = operation.work {
                operation.rows.append(Rows(result))
            } else {
                PQclear(result)
            }
        default:
            let fault = PostgresFault(result: result)
            PQclear(result)
            if fault.endsConnection || connection.wire.isBroken {
                lose(connection, because: fault)
            } else if operation.fault == nil {
                operation.fault = fault
            }
        }
    }

    private func copyBegan(
        _ mode: PooledConnection.Mode, _ result: OpaquePointer, _ operation: Submission,
        _ connection: PooledConnection
    ) {
        PQclear(result)
        switch (operation.work, mode) {
        case (.copyIn, .copyIn), (.copyOut, .copyOut):
            connection.mode = mode
            if mode == .copyOut { pause(connection) }
            finishHead(connection)
        default:
            lose(connection, because: PostgresFault(.protocol, "COPY needs a session's copyIn or copyOut."))
        }
    }

    /// The null after the last result: back to the pipeline.
    private func endPlain(_ connection: PooledConnection) {
        connection.mode = .pipeline
        guard connection.wire.enterPipeline() else {
            return lose(connection, because: Self.sendFault(connection))
        }
        finishHead(connection)
    }

    /// Whether the COPY is through, so that its last result follows.
    private func takeCopyRows(for operation: Submission, _ connection: PooledConnection) -> Bool {
        guard case .copyNext = operation.work else { return false }
        while operation.copied.count < Self.copyChunk {
            switch connection.wire.takeCopyRow(into: &operation.copied) {
            case .row: continue
            case .finished, .failed:
                connection.mode = .plain
                return true
            case .waiting:
                if operation.copied.isEmpty { return false }
                pause(connection)
                finishHead(connection)
                return false
            }
        }
        pause(connection)
        finishHead(connection)
        return false
    }

    /// Reads no more until somebody asks.
    private func pause(_ connection: PooledConnection) {
        connection.isPaused = true
        watch(connection)
    }
}
