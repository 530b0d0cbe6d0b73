/// A function that can be called (`pg_proc`, without aggregates, window functions and triggers).
package struct Function: Sendable, Hashable {
    package enum Volatility: String, Sendable {
        case immutable = "i"
        case stable = "s"
        case volatile = "v"
    }

    package struct Parameter: Sendable, Hashable {
        /// Empty for an unnamed parameter.
        package var name: String
        /// As PostgreSQL prints it in a signature, without modifier.
        package var type: String
        /// The same, with `character` and `bit` widened so that a cast does not cut the value.
        package var castType: String
        package var isRequired: Bool
        package var isVariadic: Bool

        package init(
            name: String, type: String, castType: String? = nil, isRequired: Bool = true,
            isVariadic: Bool = false
        ) {
            self.name = name
            self.type = type
            self.castType = castType ?? type
            self.isRequired = isRequired
            self.isVariadic = isVariadic
        }
    }

    package struct Result: Sendable, Hashable {
        /// Qualified name of the type; `pg_catalog.record` for out and table results.
        package var type: QualifiedName
        package var isSet: Bool
        /// A row: a composite type, a table's row type, `record` with columns.
        package var isComposite: Bool
        /// A composite that was named through a domain.
        package var isCompositeDomain: Bool

        package init(
            type: QualifiedName, isSet: Bool, isComposite: Bool, isCompositeDomain: Bool = false
        ) {
            self.type = type
            self.isSet = isSet
            self.isComposite = isComposite
            self.isCompositeDomain = isCompositeDomain
        }
    }

    package var name: QualifiedName
    package var oid: UInt32
    package var comment: String?
    /// In, inout and variadic parameters, in the order of the signature.
    package var parameters: [Parameter]
    package var result: Result
    package var volatility: Volatility
    package var hasVariadic: Bool
    /// `set default_transaction_isolation` of the function, for instance `serializable`.
    package var isolationLevel: String?
    /// `set name = value` clauses of the function that are to be raised to the transaction.
    package var settings: [Setting]

    package struct Setting: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(
        name: QualifiedName, oid: UInt32 = 0, comment: String? = nil, parameters: [Parameter],
        result: Result, volatility: Volatility, hasVariadic: Bool = false, isolationLevel: String? = nil,
        settings: [Setting] = []
    ) {
        self.name = name
        self.oid = oid
        self.comment = comment
        self.parameters = parameters
        self.result = result
        self.volatility = volatility
        self.hasVariadic = hasVariadic
        self.isolationLevel = isolationLevel
        self.settings = settings
    }

    package var returnsScalar: Bool { !result.isSet && !result.isComposite }
    package var returnsSetOfScalar: Bool { result.isSet && !result.isComposite }
    package var returnsSingleComposite: Bool { !result.isSet && result.isComposite }
    package var returnsSingle: Bool { !result.isSet }
    package var returnsVoid: Bool { returnsScalar && result.type == QualifiedName("pg_catalog", "void") }
}
