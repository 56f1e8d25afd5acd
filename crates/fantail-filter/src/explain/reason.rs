//! Why a comparison holds or does not, in words.

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $reason:ident $name:literal $holds:literal $words:literal;)*) => {
        /// Why a comparison holds or does not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[doc = $doc])* $reason,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$reason),*];

            /// A name that stays the same over all versions.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$reason => $name,)* }
            }

            /// Whether it is one for a comparison that holds.
            #[must_use]
            pub const fn holds(self) -> bool {
                match self { $(Self::$reason => $holds,)* }
            }

            pub(super) const fn words(self) -> &'static str {
                match self { $(Self::$reason => $words,)* }
            }
        }
    };
}

reasons! {
    /// The name is the one asked for.
    NameFits "name-fits" true "the name fits";
    /// The event is unnamed.
    NoName "no-name" false "the event has no name";
    /// Another name.
    NameDiffers "name-differs" false "another name";
    /// The name with other letter case.
    NameCase "name-case" false "upper and lower case differ, which counts in names";
    /// The log level asked for.
    LevelFits "level-fits" true "the log level of this sending";
    /// Another log level.
    LevelDiffers "level-differs" false "another log level";
    /// The event has no log level.
    NoLevel "no-level" false "the event has no log level";
    /// In the category or below it.
    CategoryFits "category-fits" true "the event, or one that it inherits from, is in or below this category";
    /// Not in the category.
    CategoryDiffers "category-differs" false "neither the event nor one that it inherits from is in or below this category";
    /// In the category of that name in lower case.
    CategoryCase "category-case" false "the event is in a category of that name in lower case, and case counts here";
    /// A wildcard where there are none.
    CategoryWildcard "category-wildcard" false "categories are compared without wildcards";
    /// The place in the source.
    SourceFits "source-fits" true "the place fits";
    /// The sender did not say where in its source.
    NoSource "no-source" false "the event does not say where it was sent";
    /// Another file.
    SourceFileDiffers "source-file-differs" false "another file; it is compared without wildcards, and case counts";
    /// The file, but another line.
    SourceLineDiffers "source-line-differs" false "the file fits, the line does not";
    /// `""` and no such field.
    MissingFits "missing-fits" true "the field is missing, which is what \"\" asks for";
    /// No such field.
    Missing "missing" false "the field is missing";
    /// No such field, but one in lower case.
    KeyCase "key-case" false "the field is missing; there is one with this key in lower case, and case counts in keys";
    /// `""` and an empty field.
    EmptyFits "empty-fits" true "empty, which is what \"\" asks for";
    /// An empty field fits nothing else.
    Empty "empty" false "empty, which counts as missing: only \"\" fits, not even *";
    /// A text that fits.
    TextFits "text-fits" true "the text fits";
    /// A text that does not.
    TextDiffers "text-differs" false "another text";
    /// The text as it was written, but the value was read as something else.
    TextOfReading "text-of-reading" false "text is compared with what was read, not with what was written";
    /// `<` and the like on text.
    TextOrder "text-order" false "text: only = works";
    /// A number that compares so.
    NumberFits "number-fits" true "the number fits";
    /// A number that does not.
    NumberDiffers "number-differs" false "the number does not fit";
    /// Digits that fit the wildcards.
    DigitsFit "digits-fit" true "the digits fit";
    /// Digits that do not.
    DigitsDiffer "digits-differ" false "the digits do not fit";
    /// Wildcards and letters.
    DigitsOnly "digits-only" false "a number, and only digits and wildcards can fit one";
    /// Wildcards behind `<` and the like.
    DigitsOrder "digits-order" false "a number, and wildcards only work with =";
    /// `5M`.
    UnitAmbiguous "unit-ambiguous" false "a number, and the unit is ambiguous";
    /// 2.3 would crash.
    Crash "crash" false "a number, and the value is none: Dovecot 2.3 would crash here";
    /// No number to compare with.
    NotANumber "not-a-number" false "a number, and the value is none";
    /// An address in the network.
    AddressFits "address-fits" true "the address fits";
    /// An address outside.
    AddressDiffers "address-differs" false "another address, or outside the network";
    /// No address to compare with.
    NotAnAddress "not-an-address" false "an address, and the value is none";
    /// `<` and the like on addresses.
    AddressOrder "address-order" false "an address: only = works";
    /// Timestamps fit nothing.
    Time "time" false "a timestamp, which nothing fits";
    /// A list with such an element.
    ElementFits "element-fits" true "an element fits";
    /// `""` and no elements.
    NoElementsFit "no-elements-fit" true "a list without elements, which is what \"\" asks for";
    /// No such element.
    ElementsDiffer "elements-differ" false "no element fits";
    /// 2.3 tells case in lists.
    ElementCase "element-case" false "an element has these letters in other case, which counts in lists of 2.3";
    /// No elements.
    NoElements "no-elements" false "a list without elements: only \"\" fits";
    /// `<` and the like on lists.
    ListOrder "list-order" false "a list: only = works";
}
