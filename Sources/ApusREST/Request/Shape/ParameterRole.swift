/// What a query parameter is for, by its name.
enum ParameterRole: UInt8, Sendable {
    case select = 1
    case columns, onConflict
    case order, limit, offset, logic
    /// `column=operator.value`
    case filter
    /// A parameter of a call whose value begins with no operator.
    case argument
    /// A field of a form.
    case formField

    /// - Parameter name: the decoded name.
    init(of name: ArraySlice<UInt8>) {
        let lastWord = name.lastIndex(of: UInt8(ascii: ".")).map { name[($0 + 1)...] } ?? name
        // By the length first: hardly any name gets as far as a comparison.
        self =
            switch lastWord.count {
            case 2 where lastWord.elementsEqual("or".utf8): .logic
            case 3 where lastWord.elementsEqual("and".utf8): .logic
            case 5 where lastWord.elementsEqual("order".utf8): .order
            case 5 where lastWord.elementsEqual("limit".utf8): .limit
            case 6 where lastWord.elementsEqual("offset".utf8): .offset
            case 6 where name.elementsEqual("select".utf8): .select
            case 7 where name.elementsEqual("columns".utf8): .columns
            case 11 where name.elementsEqual("on_conflict".utf8): .onConflict
            default: .filter
            }
    }

    /// Whether only the first parameter of this role counts.
    var isSingle: Bool {
        switch self {
        case .select, .columns, .onConflict: true
        case .order, .limit, .offset, .logic, .filter, .argument, .formField: false
        }
    }
}
