public import HeadgateHTTP
public import HeadgatePolicy

extension ResponseStyle {
    /// The style that a policy asks for with its `responses`.
    public init(_ options: ResponseOptions) {
        self.init(
            headers: options.headers.map { style in
                switch style {
                case .xRateLimit: .xRateLimit
                case .ietf: .ietf
                }
            },
            windowHeader: options.windowHeader ? .included : .omitted,
            errorBody: {
                switch options.errorBody {
                case .nested: .nested
                case .flat: .flat
                case .problem: .problem
                }
            }()
        )
    }
}
