import ApusCatalog

/// The arguments of a call, wherever they came from.
enum CallArguments {
    /// In the query string or in a form.
    case direct([Intent.Argument])
    /// In a JSON body whose objects have these keys.
    case json(keys: [String])
    /// A body that is one value.
    case body

    init(of intent: Intent, isReadOnly: Bool) {
        if isReadOnly {
            self = .direct(intent.argumentsThatAreNoFilters)
            return
        }
        switch intent.payload {
        case .form(let arguments): self = .direct(arguments)
        case .raw: self = .body
        case .json, .uninspectedJSON, nil: self = .json(keys: intent.payloadKeys)
        }
    }

    /// In the order of their bytes, without repetitions.
    var names: [String] {
        switch self {
        case .direct(let arguments): Set(arguments.map(\.name)).sortedByBytes()
        case .json(let keys): keys
        case .body: []
        }
    }
}

extension Intent {
    /// A parameter of the query string that reads as a filter is one, whatever the function's parameters are
    /// called. The two are told apart by the value that they take.
    fileprivate var argumentsThatAreNoFilters: [Argument] {
        let slots = Set(filters.compactMap(\.value.operation.slot))
        var remaining = arguments.filter { argument in
            guard case .slot(let index, _) = argument.value else { return true }
            return !slots.contains(index)
        }
        // `is` takes no value, so it is known by its name only.
        for filter in filters where filter.value.operation.operand == nil {
            let name = filter.value.field.name
            let parameter = (filter.path + [name]).joined(separator: ".")
            let index =
                remaining.firstIndex { $0.name == parameter } ?? remaining.firstIndex { $0.name == name }
            if let index { remaining.remove(at: index) }
        }
        return remaining
    }
}

extension Operation {
    fileprivate var operand: Operand? {
        switch self {
        case .compare(_, let operand), .quantified(_, _, let operand), .isIn(let operand),
            .isDistinctFrom(let operand), .fullText(_, _, let operand):
            operand
        case .is: nil
        }
    }

    fileprivate var slot: Int? {
        if case .slot(let index, _) = operand { index } else { nil }
    }
}
