import ApusCatalog
import ApusPlanner
import ApusSQL

// MARK: - Bodies

extension StatementBuilder {
    /// The body, as an aggregate over ``Names/rows``; nil when none is made.
    ///
    /// The bytes are those of `json_agg` (a line per row), whatever they are made with.
    func body(_ kind: ResolvedHandler.Kind, of function: Function? = nil) -> SQL? {
        switch kind {
        case .none: nil
        case .json: json(of: function, stripsNulls: false)
        case .arrayWithoutNulls: json(of: function, stripsNulls: true)
        case .singleJSON(let stripsNulls): single(of: function, stripsNulls: stripsNulls)
        case .csv: csv
        case .geoJSON: geoJSON
        case .custom(let handler, let input): custom(handler, input, of: function)
        }
    }

    // MARK: - Non public

    private func json(of function: Function?, stripsNulls: Bool) -> SQL {
        let rows = function?.result.isComposite == false ? scalar : Names.rows
        let isOne = function?.returnsSingle == true
        let array: SQL = isOne ? "json_agg(\(rows))->0" : "json_agg(\(rows))"
        return coalesced(array, stripsNulls: stripsNulls, isOne ? "'null'" : "'[]'")
    }

    /// One object. An answer with more rows is an error, which the caller finds by their number, so the rows
    /// need no array to be taken from.
    private func single(of function: Function?, stripsNulls: Bool) -> SQL {
        if stripsNulls || function?.returnsScalar == true {
            let rows = function?.returnsScalar == true ? scalar : Names.rows
            return coalesced("json_agg(\(rows))->0", stripsNulls: stripsNulls, "'null'")
        }
        return "coalesce(string_agg(row_to_json(\(Names.rows))::text, ''), 'null')"
    }

    private func coalesced(_ json: SQL, stripsNulls: Bool, _ empty: SQL) -> SQL {
        stripsNulls ? "coalesce(json_strip_nulls(\(json)), \(empty))" : "coalesce(\(json), \(empty))"
    }

    /// A header line of the columns' names, and a line per row in the format of a row's text.
    private var csv: SQL {
        """
        (SELECT coalesce(string_agg(k, ','), '') FROM json_object_keys((\
        SELECT row_to_json(hh) FROM (SELECT * FROM \(Self.csvRows)) AS hh LIMIT 1)) AS k) || E'\\n' || \
        coalesce(string_agg(substring(\(Names.rows)::text, 2, length(\(Names.rows)::text) - 2), E'\\n'), '')
        """
    }

    /// The rows of a CSV body, which are read twice: a name that the statement gives them.
    static let csvRows: SQL = "pgrst_rows"

    private var geoJSON: SQL {
        """
        json_build_object('type', 'FeatureCollection', 'features', \
        coalesce(json_agg(ST_AsGeoJSON(\(Names.rows))::json), '[]'))
        """
    }

    private func custom(
        _ handler: QualifiedName, _ input: Catalog.HandlerInput, of function: Function?
    ) -> SQL {
        if function?.returnsScalar == true { return "\(SQL.name(handler))(\(scalar))" }
        return switch input {
        case .anyElement: "\(SQL.name(handler))(\(Names.rows))"
        case .relation(let relation): "\(SQL.name(handler))(\(Names.rows)::\(SQL.name(relation)))"
        }
    }

    private var scalar: SQL { "\(Names.rows).\(Names.scalar)" }
}
