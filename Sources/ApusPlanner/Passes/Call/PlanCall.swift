import ApusCatalog

extension CallPlan {
    /// The call of a function that was chosen by the names of the arguments.
    ///
    /// - Parameter read: what is read of the result; it must find its columns in it.
    init(function: Function, arguments: CallArguments, thenRead read: ReadPlan) {
        let filtered = Set(read.filterColumns + read.orderColumns).sortedByBytes()
        self.init(
            function: function, arguments: Self.bind(arguments, to: function),
            returning: read.neededColumns(besides: []), filterColumns: filtered)
    }

    private static func bind(_ arguments: CallArguments, to function: Function) -> Arguments {
        switch arguments {
        case .direct(let arguments):
            let bound = function.parameters.compactMap { bind(arguments, to: $0) }
            return bound.isEmpty ? .none : .direct(bound)
        case .json, .body:
            if let only = function.parameters.first, function.parameters.count == 1, only.name.isEmpty {
                return .body(only)
            }
            let names = Set(arguments.names)
            let given = function.parameters.filter { names.contains($0.name) }
            return given.isEmpty ? .none : .json(given)
        }
    }

    /// A variadic parameter takes all arguments of its name; of others the last one counts.
    private static func bind(
        _ arguments: [Intent.Argument], to parameter: Function.Parameter
    ) -> DirectArgument? {
        let values = arguments.filter { $0.name == parameter.name }.map(\.value)
        guard let last = values.last else { return nil }
        return DirectArgument(parameter: parameter, values: parameter.isVariadic ? values : [last])
    }
}
