package import ApusPlanner

extension RequestValues {
    /// The bytes of a value as the client wrote them.
    package func bytes(of operand: Operand) -> ArraySlice<UInt8> {
        switch operand {
        case .slot(let index, let dropping): value(at: index, dropping: dropping)
        case .literal(let text): Array(text.utf8)[...]
        }
    }

    /// The elements of a list (`in.(a,b)`); nil when it is none.
    package func elements(of operand: Operand) -> [[UInt8]]? {
        try? ListLiteral.elements(of: bytes(of: operand), startingAt: 0)
    }
}
